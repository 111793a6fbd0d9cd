// A square with a point to drag; see pad.py. x grows to the right, y upwards, both in [-1, 1].
const STEP = 0.05, LEAP = 0.25;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function make(tag, parent, style, attributes = {}) {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function render({ model, el }) {
  const frame = make("div", el, { padding: "6px" });  // room for the ring that shows the focus
  const label = make("div", frame, { marginBottom: "6px" });
  const pad = make("div", frame, {
    position: "relative", maxWidth: "100%", aspectRatio: "1", border: "1px solid #555", borderRadius: "4px",
    boxSizing: "border-box", cursor: "crosshair", touchAction: "none", userSelect: "none",
    background: "#eee center / 100% 100% no-repeat",
  }, { role: "slider", tabindex: "0", "aria-roledescription": "two-dimensional slider",
       "aria-valuemin": "-1", "aria-valuemax": "1" });
  const line = { position: "absolute", background: "#fff", mixBlendMode: "difference", opacity: "0.6", pointerEvents: "none" };
  const across = make("div", pad, { ...line, left: 0, right: 0, height: "1px" });
  const upright = make("div", pad, { ...line, top: 0, bottom: 0, width: "1px" });
  const point = make("div", pad, {
    position: "absolute", width: "14px", height: "14px", margin: "-9px 0 0 -9px", borderRadius: "50%",
    background: "#E69F00", border: "2px solid #fff", boxShadow: "0 0 0 2px #000", pointerEvents: "none",
  });
  const place = make("div", frame, { marginTop: "6px", fontVariantNumeric: "tabular-nums", color: "var(--jp-ui-font-color2, #555)" });
  pad.className = "cnngen-pad";
  pad.addEventListener("focus", () => { pad.style.outline = "3px solid #0072B2"; pad.style.outlineOffset = "2px"; });
  pad.addEventListener("blur", () => { pad.style.outline = "none"; });

  let x = model.get("x"), y = model.get("y"), waiting = false, address = null;
  const inside = number => Math.max(-1, Math.min(1, number));
  const show = () => {
    const left = 50 * (1 + x) + "%", top = 50 * (1 - y) + "%";
    Object.assign(point.style, { left, top });
    across.style.top = top;
    upright.style.left = left;
    const words = `x ${x.toFixed(2)}, y ${y.toFixed(2)}`.replaceAll("-", "−");
    place.textContent = words;
    pad.setAttribute("aria-valuenow", x.toFixed(2));
    pad.setAttribute("aria-valuetext", words);
  };
  const send = () => {  // one message under way; the newest place wins
    waiting = model.get("sent") !== model.get("done");
    if (waiting) return;
    model.set({ x, y, sent: model.get("sent") + 1 });
    model.save_changes();
  };
  const move = (newX, newY) => { if (model.get("disabled")) return; x = inside(newX); y = inside(newY); show(); send(); };
  const follow = event => {
    const box = pad.getBoundingClientRect();
    move(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
  };
  pad.addEventListener("pointerdown", event => { pad.setPointerCapture(event.pointerId); pad.focus(); follow(event); });
  pad.addEventListener("pointermove", event => { if (pad.hasPointerCapture(event.pointerId)) follow(event); });
  pad.addEventListener("keydown", event => {
    const direction = MOVES[event.key], step = event.shiftKey ? LEAP : STEP;
    if (!direction && event.key !== "Home") return;
    event.preventDefault();
    event.stopPropagation();  // JupyterLab would move to another cell
    if (direction) move(x + step * direction[0], y + step * direction[1]);
    else move(0, 0);
  });

  const answered = () => { if (waiting) send(); };
  const placed = () => {  // set from Python, or by another view of this pad
    if (waiting) return;
    [x, y] = [model.get("x"), model.get("y")];
    show();
  };
  const dress = () => {
    const bytes = model.get("background"), description = model.get("description");
    label.textContent = description;
    pad.style.width = model.get("size") + "px";
    pad.toggleAttribute("disabled", model.get("disabled"));
    pad.style.cursor = model.get("disabled") ? "not-allowed" : "crosshair";
    pad.style.opacity = model.get("disabled") ? "0.7" : "1";
    pad.setAttribute("aria-disabled", model.get("disabled"));
    pad.setAttribute("aria-label", `${description}: drag the point, or use the arrow keys (with Shift: larger steps; Home: centre)`);
    if (address) URL.revokeObjectURL(address);
    address = bytes?.byteLength ? URL.createObjectURL(new Blob([bytes])) : null;
    pad.style.backgroundImage = address ? `url(${address})` : "none";
  };
  const listeners = { "change:done": answered, "change:x": placed, "change:y": placed,
                      "change:background": dress, "change:description": dress, "change:size": dress,
                      "change:disabled": dress };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  dress();
  show();
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    if (address) URL.revokeObjectURL(address);
  };
}

export default { render };
