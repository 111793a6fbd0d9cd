// A button to choose a picture file; see PictureUpload in panel.py.
const PART = 2 ** 21;  // bytes of a message: far below the 10 MB at which a server hangs up

function make(tag, parent, attributes = {}) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function render({ model, el }) {
  const row = make("div", el, { style: "display: flex; gap: 4px; max-width: 100%" });
  const look = "jupyter-button widget-button";
  const choose = make("button", row, { type: "button", class: look, style: "flex: 1 1 auto; width: auto; min-width: 0" });
  const away = make("button", row, { type: "button", class: look, style: "flex: none; width: 2.6em", title: "put your picture away" });
  const input = make("input", row, { type: "file", hidden: "", accept: model.get("accept") });
  away.textContent = "✕";
  away.setAttribute("aria-label", away.title);
  const show = () => {
    const name = model.get("file_name");
    choose.textContent = name ? `${model.get("description")}: ${name}` : `${model.get("description")} ...`;
    choose.removeAttribute("aria-busy");
    away.style.display = name ? "" : "none";
  };
  const send = async file => {
    if (file.size > model.get("most_bytes")) return model.send({ kind: "not sent", size: file.size });
    choose.textContent = `sending ${file.name} ...`;
    choose.setAttribute("aria-busy", "true");
    let content;
    try { content = await file.arrayBuffer(); } catch { return model.send({ kind: "not sent", size: 0 }); }
    const about = { kind: "part", name: file.name, size: content.byteLength };
    let start = 0;
    do {
      model.send({ ...about, start }, undefined, [content.slice(start, start + PART)]);
      start += PART;
    } while (start < content.byteLength);
  };
  choose.addEventListener("click", () => input.click());
  away.addEventListener("click", () => { choose.focus(); model.send({ kind: "put away" }); });
  input.addEventListener("change", () => {
    const [file] = input.files;
    if (file) send(file);
    input.value = "";  // so that the same file can be chosen again
  });
  const listened = ["change:file_name", "change:answered", "change:description"];
  for (const name of listened) model.on(name, show);
  show();
  return () => { for (const name of listened) model.off(name, show); };
}

export default { render };
