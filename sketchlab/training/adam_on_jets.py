"""Adam on jets, in place: the step of `optimizers.Adam`, for jets whose heads all rows share.

Elementwise work waits for memory, so it goes block by block: some rows of one parameter, few enough
that what a block touches stays in the processor's cache, in arrays that are made once. The heads
come first, for all rows at once. A test holds the step equal to `Adam.update` on the same jets.
"""

import numpy as np

from ..algebra.arithmetic import refuse_branch_cut

BLOCK_BYTES = 1 << 17  # of one coefficient in a block


class AdamOnJets:
    """The moments of Adam for parameters that are one flat jet, and its steps.

    flat: the parameters, a jet of shape (rows, size) with head (1, size), updated in place.
    moments: the heads to start from, two arrays (size,). axis: where the named parameters lie.
    """

    def __init__(self, adam, axis, flat, moments):
        self.adam, self.axis, self.flat = adam, axis, flat
        self.heads = [np.array(head) for head in moments]
        degree, rows = flat.tail.shape[:2]
        dtype = flat.tail.dtype
        self.blocks, largest = [], 0
        for name, columns in axis.columns.items():
            size = columns.stop - columns.start
            if not size:
                continue
            count = max(1, BLOCK_BYTES // (dtype.itemsize * size))
            for start in range(0, rows, count):
                part = slice(start, min(start + count, rows))
                shape = (degree, part.stop - start, size)
                self.blocks.append((name, columns, part, *np.zeros((2, *shape), dtype)))
                largest = max(largest, shape[1] * size)
        self.scratch = np.empty((3, degree * largest), dtype)

    def step(self, step, steps, gradients):
        """Take one step; gradients: by name, jets of shape (rows, *shape)."""
        adam, (m0, v0) = self.adam, self.heads
        rate, eps = adam.factors(step, steps)
        g0 = np.concatenate(
            [
                np.broadcast_to(gradients[name].head[0], shape).ravel()
                for name, shape in self.axis.shapes.items()
            ]
        )
        m0 *= adam.beta1
        m0 += g0
        v0 *= adam.beta2
        v0 += g0 * g0
        s0 = v0 + eps
        refuse_branch_cut(s0, "power -0.5")
        y0 = s0**-0.5 * rate
        dtype = self.flat.tail.dtype  # a real factor that is converted once is faster than per row
        heads = [head.astype(dtype) for head in (2.0 * g0, m0, -0.5 / s0, -y0)]
        for name, columns, part, m, v in self.blocks:
            g = gradients[name].tail
            g = g.reshape(*g.shape[:2], -1)[:, part]
            p = self.flat.tail[:, part, columns]
            p += self._change(m, v, g, [head[columns] for head in heads])
        self.flat.head[0] -= m0 * y0

    def _change(self, m, v, g, heads):
        """Tails of -rate m_hat / (v_hat + eps)^(1/2); m and v become those of this step."""
        g0_twice, m0, to_h, minus_y0 = heads
        degree = len(g)
        h, r, w = (scratch[: g.size].reshape(g.shape) for scratch in self.scratch)
        m *= self.adam.beta1
        m += g
        v *= self.adam.beta2
        v += np.multiply(g, g0_twice, out=w)
        for i in range(1, degree // 2 + 1):  # g_i g_j twice for every j > i, and g_i^2
            twice = np.add(g[i - 1], g[i - 1], out=h[0])
            v[2 * i :] += np.multiply(twice, g[i : degree - i], out=w[2 * i :])
            v[2 * i - 1] += np.multiply(g[i - 1], g[i - 1], out=w[0])
        # With s = v + eps, h = -s / (2 s_0) and s^(-1/2) = s_0^(-1/2) r, comparing coefficients in
        # 2 s r' = -s' r gives r_k = h_k + sum_{0<i<k} (2 - i/k) h_i r_{k-i}.
        np.multiply(v, to_h, out=h)
        r[...] = h
        for k in range(2, degree + 1):
            for i in range(1, k):
                term = np.multiply(h[i - 1], r[k - i - 1], out=w[0])
                term *= 2.0 - i / k
                r[k - 1] += term
        change = np.multiply(r, m0, out=h)
        change += m
        for i in range(1, degree):
            change[i:] += np.multiply(m[i - 1], r[: degree - i], out=w[i:])
        change *= minus_y0
        return change
