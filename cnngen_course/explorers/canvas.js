// A square to draw on; see canvas.py. Points are shares of the side, x to the right, y downwards.
const STEP = 1 / 64, LEAP = 1 / 8;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function make(tag, parent, style = {}, attributes = {}) {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function render({ model, el }) {
  const frame = make("div", el, { padding: "6px" });  // room for the ring that shows the focus
  const label = make("div", frame, { marginBottom: "6px" });
  const bar = make("div", frame, { display: "flex", flexWrap: "wrap", gap: "4px", marginBottom: "6px", alignItems: "center" },
                   { role: "toolbar", "aria-label": "tools" });
  const pad = make("canvas", frame, {
    display: "block", maxWidth: "100%", border: "1px solid #555", borderRadius: "4px", boxSizing: "border-box",
    cursor: "crosshair", touchAction: "none", userSelect: "none", background: "#fff center / 100% 100% no-repeat",
  }, { role: "application", tabindex: "0" });
  const place = make("div", frame, { marginTop: "6px", color: "var(--jp-ui-font-color2, #555)" }, { "aria-live": "polite" });
  pad.className = "cnngen-pad cnngen-canvas";
  pad.addEventListener("focus", () => { pad.style.outline = "3px solid #0072B2"; pad.style.outlineOffset = "2px"; show(); });
  pad.addEventListener("blur", () => { pad.style.outline = "none"; lift(); });

  let strokes = structuredClone(model.get("strokes")), tool = 0, colour = "#d55e00", current = null;
  let cursor = [0.5, 0.5], waiting = false, address = null;
  const pen = pad.getContext("2d");
  const inside = number => Math.max(0, Math.min(1, number));
  const say = () => { place.textContent = `${strokes.length} stroke${strokes.length === 1 ? "" : "s"}`; };
  const show = () => {
    const side = pad.width;
    pen.clearRect(0, 0, side, side);
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of strokes) {
      pen.strokeStyle = pen.fillStyle = stroke.colour;
      pen.lineWidth = Math.max(1, stroke.width * side);
      pen.beginPath();
      stroke.points.forEach(([x, y], index) => index ? pen.lineTo(x * side, y * side) : pen.moveTo(x * side, y * side));
      if (stroke.points.length > 1) pen.stroke();
      else {
        pen.arc(stroke.points[0][0] * side, stroke.points[0][1] * side, pen.lineWidth / 2, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    if (document.activeElement === pad) {  // where the keys draw
      const [x, y] = cursor.map(number => number * side);
      for (const [ink, width] of [["#fff", 4], ["#000", 2]]) {
        pen.strokeStyle = ink;
        pen.lineWidth = width;
        pen.beginPath();
        for (const [a, b] of [[7, 3], [-7, -3]]) {
          pen.moveTo(x + a, y); pen.lineTo(x + b, y);
          pen.moveTo(x, y + a); pen.lineTo(x, y + b);
        }
        pen.stroke();
      }
    }
    say();
  };
  const send = () => {  // one message under way; the newest strokes win
    waiting = model.get("sent") !== model.get("done");
    if (!waiting) {
      model.set({ strokes: structuredClone(strokes), sent: model.get("sent") + 1 });
      model.save_changes();
    }
    tell();
  };
  const tell = () => { pad.setAttribute("aria-busy", String(model.get("sent") !== model.get("done"))); };
  const changed = () => { show(); send(); };
  const begin = point => {
    const chosen = model.get("tools")[tool];
    current = { tool: chosen.name, colour: chosen.colour || colour, width: chosen.width, points: [point] };
    if (chosen.kind === "dab") { strokes.push(current); current = null; }
    else strokes.push(current);
    changed();
  };
  const extend = point => { if (current) { current.points.push(point); changed(); } };
  const lift = () => { current = null; };
  const find = event => {
    const box = pad.getBoundingClientRect();
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  };
  const undo = () => { lift(); strokes.pop(); changed(); };
  const clear = () => { lift(); strokes = []; changed(); };

  pad.addEventListener("pointerdown", event => {
    pad.setPointerCapture(event.pointerId);
    pad.focus();
    cursor = find(event);
    begin(cursor);
  });
  pad.addEventListener("pointermove", event => {
    if (!pad.hasPointerCapture(event.pointerId) || !current) return;
    cursor = find(event);
    extend(cursor);
  });
  for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, lift);
  pad.addEventListener("keydown", event => {
    const direction = MOVES[event.key], step = event.shiftKey ? LEAP : STEP;
    const handled = direction || [" ", "Backspace", "Delete"].includes(event.key);
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();  // JupyterLab would move to another cell, or delete one
    if (direction) {
      cursor = cursor.map((number, axis) => inside(number + step * direction[axis]));
      if (current) extend([...cursor]); else show();
    } else if (event.key === " ") {  // pen down, pen up
      if (current) lift(); else begin([...cursor]);
    } else if (event.key === "Backspace") undo();
    else clear();
  });

  const choose = number => {
    lift();
    tool = number;
    bar.querySelectorAll("[data-tool]").forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === tool));
      button.style.fontWeight = index === tool ? "bold" : "normal";
      button.style.boxShadow = index === tool ? "inset 0 0 0 2px #0072B2" : "none";
    });
  };
  const dress = () => {
    bar.replaceChildren();
    const tools = model.get("tools");
    tools.forEach((entry, index) => {
      const button = make("button", bar, { padding: "2px 8px" }, { type: "button", "data-tool": entry.name });
      button.textContent = entry.name;
      button.addEventListener("click", () => choose(index));
    });
    if (tools.some(entry => !entry.colour)) {
      const picker = make("input", bar, { width: "3em", height: "1.8em" }, { type: "color", value: colour, "aria-label": "colour" });
      picker.addEventListener("input", () => { colour = picker.value; choose(tools.findIndex(entry => !entry.colour)); });
    }
    for (const [words, act] of [["undo", undo], ["clear", clear]]) {
      const button = make("button", bar, { padding: "2px 8px" }, { type: "button" });
      button.textContent = words;
      button.addEventListener("click", act);
    }
    choose(Math.min(tool, tools.length - 1));
    const bytes = model.get("background"), description = model.get("description"), size = model.get("size");
    label.textContent = description;
    pad.width = pad.height = size;
    pad.style.width = pad.style.height = size + "px";
    pad.setAttribute("aria-label", `${description}: draw with the mouse or a finger. By keys: arrows move (with Shift further), `
      + "the space bar puts the pen down and lifts it, Backspace takes the last stroke back, Delete clears");
    if (address) URL.revokeObjectURL(address);
    address = bytes?.byteLength ? URL.createObjectURL(new Blob([bytes])) : null;
    pad.style.backgroundImage = address ? `url(${address})` : "none";
    show();
  };
  const answered = () => { if (waiting) send(); else tell(); };
  const placed = () => {  // set from Python, or by another view of this canvas
    if (waiting || current) return;
    strokes = structuredClone(model.get("strokes"));
    show();
  };
  const listeners = { "change:done": answered, "change:strokes": placed, "change:background": dress,
                      "change:description": dress, "change:size": dress, "change:tools": dress };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  dress();
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    if (address) URL.revokeObjectURL(address);
  };
}

export default { render };
