"""The explorer as a page for visitors: `python -m sketchlab.serving notebooks/app.ipynb`.

It is Voila with three doors closed. A socket must speak the protocol of today, in messages that are
some: with others, a single visitor could make the server loop and grow until it stops for all. The
page answers to the names of this machine only, so that no other site can reach it through a
visitor's browser. And there are limits: of kernels, and of memory, for the server and for every
kernel.
"""

import itertools

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Integer, List, Set, Unicode, default
from voila.app import Voila

PROTOCOL = "v1.kernel.websocket.jupyter.org"
MOST_PARTS = 64  # of a message: six, and what widgets add to them
OURS = ["localhost", "127.0.0.1", "::1"]


class KernelConnection(ZMQChannelsWebsocketConnection):
    """A socket to a kernel. Refused with 400 if it does not ask for the protocol of today."""

    async def prepare(self):
        """See the base class; called before the socket is open."""
        asked = self.websocket_handler.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [name.strip() for name in asked.split(",")]:
            raise HTTPError(400, f"this page speaks {PROTOCOL} only")
        await super().prepare()

    def handle_incoming_message(self, incoming_msg):
        """See the base class. A socket that sends what is no message is closed.

        A message begins with the number of its places, in eight bytes, and these: a large number
        that is not true would keep the server busy for ever, and places that overlap its memory.
        """
        if not _is_message(incoming_msg):
            self.websocket_handler.close(1003, "this is no message")
            return
        super().handle_incoming_message(incoming_msg)


def _is_message(message):
    """Whether bytes have some parts, one after the other."""
    if not isinstance(message, bytes):
        return False
    count = int.from_bytes(message[:8], "little")
    if not 2 <= count <= MOST_PARTS or 8 * (count + 1) > len(message):
        return False
    heads = [message[8 * k : 8 * k + 8] for k in range(1, count + 1)]
    places = [8 * (count + 1), *(int.from_bytes(head, "little") for head in heads), len(message)]
    return all(one <= other for one, other in itertools.pairwise(places))


class KernelManager(AsyncMappingKernelManager):
    """Kernels, at most so many at a time: one for each open page."""

    most = Integer(16, help="The largest number of kernels.").tag(config=True)
    starting = Set(help="Kernels whose start is under way.")

    async def start_kernel(self, *, kernel_id=None, **settings):
        """See the base class; 503 if there are too many, with those that are starting."""
        name = kernel_id or self.new_kernel_id(**settings)
        if len({name, *self.starting, *self.list_kernel_ids()}) > self.most:
            raise HTTPError(503, "too many visitors at once: please try again in a few minutes")
        self.starting.add(name)
        try:
            return await super().start_kernel(kernel_id=name, **settings)
        finally:
            self.starting.discard(name)


class Page(Voila):
    """Voila with limits; its settings are those of Voila, and these."""

    hosts = List(
        Unicode(),
        OURS,
        help='Names by which the page may be called; "*": any, with the risk of rebinding.',
    ).tag(config=True)
    memory = Integer(
        4,
        help="The most memory, in GiB, of the server and of every kernel, where there are limits.",
    ).tag(config=True)

    @default("kernel_websocket_connection_class")
    def _connection(self):
        return KernelConnection

    def setup_template_dirs(self):
        """Before anything is served, and after all settings are known: apply ours."""
        self.voila_configuration.multi_kernel_manager_class = KernelManager
        self.tornado_settings = self.tornado_settings | {
            "allow_remote_access": "*" in self.hosts,
            "local_hostnames": self.hosts,
        }
        super().setup_template_dirs()

    def start(self):
        """Serve, until it is stopped."""
        try:
            import resource  # not on Windows

            _, hard = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (self.memory << 30, hard))
        except (ImportError, ValueError, OSError):  # nor has macOS such a limit
            self.log.warning(
                "The memory of this page and of its kernels is not limited on this system: a "
                "visitor's kernel that takes all of it stops the others too."
            )
        super().start()


if __name__ == "__main__":
    Page.launch_instance()
