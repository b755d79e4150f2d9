// What the browser does for a widget of this package, beside what ipywidgets does:
// it gives controls the names that screen readers read, and tells which row was clicked.

const set = (element, name, value) => {
  if (value && element.getAttribute(name) !== value) element.setAttribute(name, value);
};

function nameControls(root) {
  for (const handle of root.querySelectorAll(".noUi-handle")) {
    const slider = handle.closest(":has(> .widget-label)");
    if (!slider) continue;
    set(handle, "aria-label", slider.querySelector(".widget-label").textContent);
    const readout = slider.querySelector(".widget-readout");
    set(handle, "aria-valuetext", readout?.textContent);
    if (!readout) continue;
    set(readout, "aria-label", handle.getAttribute("aria-label"));
    if (readout.isContentEditable) set(readout, "role", "textbox");
  }
  for (const button of root.querySelectorAll("button.widget-toggle-button"))
    set(button, "aria-pressed", String(button.classList.contains("mod-active")));
  for (const element of root.querySelectorAll("[title=null]")) element.removeAttribute("title");
  for (const field of root.querySelectorAll("select[title], input[title]"))
    if (![...field.labels].some((label) => label.textContent.trim()))
      set(field, "aria-label", field.title);
}

function render({ model, el }) {
  el.style.display = "none";
  let observer, root;
  const clicked = (event) => {
    const row = event.target.closest("[data-row]");
    if (row) model.send({ row: Number(row.dataset.row) });
  };
  const start = () => {
    root = el.closest(".sketchlab");
    if (!root) {
      waiting = requestAnimationFrame(start); // not in the page yet
      return;
    }
    nameControls(root);
    observer = new MutationObserver(() => nameControls(root));
    observer.observe(root, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
      attributeFilter: ["class", "title"],
    });
    root.addEventListener("click", clicked);
  };
  let waiting = requestAnimationFrame(start);
  return () => {
    cancelAnimationFrame(waiting);
    observer?.disconnect();
    root?.removeEventListener("click", clicked);
  };
}

export default { render };
