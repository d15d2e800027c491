"use strict";
// Draws the surface once for each size, and over it what the optimizers had done up to the current step.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const [x0, x1, y0, y1] = data.bounds;
  const shown = data.optimizers.map(() => true);
  let at = 0;
  let timer = 0;
  let backdrop = null;
  const solid = solidView(data);
  const night = matchMedia("(prefers-color-scheme: dark)");

  const noisy = () => ($("noise").checked && data.runs.length > 1 ? 1 : 0);
  const start = () => Number($("start").value);
  const run = (o, s = start()) => data.runs[noisy()][o][s];
  const longest = () => Math.max(...data.optimizers.map((_, o) => run(o).points.length - 1));
  const hex = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  // The colour of an optimizer, lighter on dark paper.
  const hue = (o) => `rgb(${hex(data.optimizers[o].color).map((c) => Math.round(night.matches ? c + (255 - c) * 0.32 : c))})`;
  // Earlier paths are broader, so that they show under later ones that run the same way.
  const breadth = (o) => 2 + 0.6 * (data.optimizers.length - 1 - o);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Numbers as people read them, with a true minus sign.
  function text(x) {
    if (x === null || x === undefined) return "–";
    if (x === 0) return "0";
    const size = Math.abs(x);
    const short = size >= 1e-3 && size < 1e5 ? String(Number(x.toPrecision(3))) : x.toExponential(1);
    return short.replace(/-/g, "−").replace("e+", "e");
  }
  const pair = (v) => (v ? `(${text(v[0])}, ${text(v[1])})` : "–");

  function sized(canvas) {
    const ratio = devicePixelRatio || 1;
    const width = Math.max(1, canvas.clientWidth);
    const height = Math.max(1, canvas.clientHeight);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { pen, width, height, ratio };
  }

  const starts = () => ($("all").checked ? data.starts.map((_, s) => s) : [start()]);

  function drawSurface() {
    const { pen, width, height, ratio } = sized($("surface"));
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const paths = starts().flatMap((s) => data.optimizers.map((_, o) => o).filter((o) => shown[o]).map((o) => ({
      points: run(o, s).points.slice(0, at + 1),
      losses: run(o, s).losses,
      color: hue(o),
      width: breadth(o),
      alpha: s === start() ? 1 : 0.45,
    })));
    const colors = { ink: css("--ink"), paper: css("--paper"), muted: css("--muted"), dark: night.matches };
    if ($("solid").checked) solid.draw(pen, width, height, colors, paths);
    else drawMap(pen, width, height, ratio, colors, paths);
  }

  function drawMap(pen, width, height, ratio, { ink, paper }, paths) {
    if (!backdrop || backdrop.width !== $("surface").width || backdrop.height !== $("surface").height) {
      backdrop = paintContours(data, Math.round(width * ratio), Math.round(height * ratio), night.matches);
    }
    pen.putImageData(backdrop, 0, 0);
    const place = ([x, y]) => [(x - x0) / (x1 - x0) * width, (1 - (y - y0) / (y1 - y0)) * height];
    drawTicks(pen, place, width, height, ink);
    for (const point of data.minima) star(pen, ...place(point), ink, paper);
    for (const path of paths) {
      const points = path.points.map(place);
      pen.strokeStyle = path.color;
      pen.lineWidth = path.width;
      pen.lineJoin = "round";
      pen.globalAlpha = path.alpha;
      pen.beginPath();
      points.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
      pen.stroke();
      dot(pen, ...points[points.length - 1], 5.5, path.color, paper);
      pen.globalAlpha = 1;
    }
    for (const s of starts()) dot(pen, ...place(data.starts[s]), 4, ink, paper);
  }

  function drawTicks(pen, place, width, height, ink) { // round numbers along the lower and the left edge
    const round = (low, high, count) => {
      const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
      const step = power * [1, 2, 5, 10].find((k) => k * power >= rough);
      const found = [];
      for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(12)));
      return found;
    };
    pen.fillStyle = pen.strokeStyle = ink;
    pen.globalAlpha = 0.75;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const x of round(x0, x1, Math.max(2, width / 110))) {
      const [px] = place([x, y0]);
      if (px < 26 || px > width - 14) continue;
      pen.moveTo(px, height); pen.lineTo(px, height - 5);
      pen.textAlign = "center";
      pen.fillText(text(x), px, height - 9);
    }
    for (const y of round(y0, y1, Math.max(2, height / 80))) {
      const py = place([x0, y])[1];
      if (py > height - 26 || py < 10) continue;
      pen.moveTo(0, py); pen.lineTo(5, py);
      pen.textAlign = "left";
      pen.fillText(text(y), 9, py + 4);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  function dot(pen, x, y, radius, color, rim) {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fillStyle = color;
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = rim;
    pen.stroke();
  }

  function star(pen, x, y, color, rim) {
    pen.beginPath();
    for (let i = 0; i < 10; i++) {
      const radius = i % 2 ? 3.6 : 9, turn = Math.PI * (i / 5 - 0.5);
      pen.lineTo(x + radius * Math.cos(turn), y + radius * Math.sin(turn));
    }
    pen.closePath();
    pen.fillStyle = color;
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = rim;
    pen.stroke();
  }

  function chart(canvas, series) { // one logarithmic line for each optimizer, and where we are
    const { pen, width, height } = sized(canvas);
    const left = 44, bottom = 18, top = 8, right = 8;
    const values = series.flatMap((s) => s.values).filter((v) => v > 1e-16);
    if (!values.length) return;
    const low = Math.floor(Math.log10(Math.max(Math.min(...values), 1e-16)));
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
    const px = (i) => left + (i / Math.max(1, longest())) * (width - left - right);
    const py = (v) => top + (high - Math.log10(Math.max(v, 10 ** low))) / (high - low) * (height - top - bottom);
    pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    pen.fillStyle = css("--muted");
    pen.strokeStyle = css("--line");
    pen.lineWidth = 1;
    pen.textAlign = "right";
    const apart = Math.ceil((high - low) / 4);
    for (let e = Math.ceil(low / apart) * apart; e <= high; e += apart) {
      pen.beginPath(); pen.moveTo(left, py(10 ** e)); pen.lineTo(width - right, py(10 ** e)); pen.stroke();
      pen.fillText(`10${[...String(e)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`, left - 5, py(10 ** e) + 4);
    }
    [0, Math.round(longest() / 2), longest()].forEach((i, place) => {
      pen.textAlign = ["left", "center", "right"][place];
      pen.fillText(String(i), px(i), height - 4);
    });
    for (const s of series) {
      pen.strokeStyle = s.color;
      pen.lineWidth = 1.8;
      pen.beginPath();
      s.values.forEach((v, i) => { // a logarithmic axis has no place for 0
        if (v > 1e-16) pen[s.values[i - 1] > 1e-16 ? "lineTo" : "moveTo"](px(i), py(v));
      });
      pen.stroke();
    }
    pen.strokeStyle = css("--ink");
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(px(at), top); pen.lineTo(px(at), height - bottom); pen.stroke();
  }

  function drawCharts() {
    const visible = data.optimizers.map((_, o) => o).filter((o) => shown[o]);
    const low = Math.min(...data.optimizers.map((_, o) => Math.min(...run(o).losses)), data.lowest);
    chart($("loss"), visible.map((o) => ({
      color: hue(o),
      values: run(o).losses.map((f) => f - low),
    })));
    chart($("length"), visible.map((o) => ({
      color: hue(o),
      values: run(o).points.slice(1).map((p, i) => Math.hypot(p[0] - run(o).points[i][0], p[1] - run(o).points[i][1])),
    })));
  }

  function drawTable() {
    const body = $("terms").tBodies[0];
    body.textContent = "";
    data.optimizers.forEach((optimizer, o) => {
      if (!shown[o]) return;
      const r = run(o);
      const row = body.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      head.append(swatch(o), optimizer.short);
      row.append(head);
      const ended = at >= r.points.length - 1;
      const here = Math.min(at, r.points.length - 1);
      const step = ended ? null : [0, 1].map((k) => r.points[at + 1][k] - r.points[at][k]);
      const memory = ended ? null : r.memory[at];
      const cells = [text(r.losses[here]), pair(step), pair(step && step.map((d, k) => d - memory[k])), pair(memory)];
      if (ended && here < longest()) cells[1] = "diverged";
      for (const cell of cells) row.insertCell().textContent = cell;
    });
    $("what").textContent = at < longest() ? `Step ${at + 1}` : "At the end";
  }

  function swatch(o) {
    const mark = document.createElement("span");
    mark.className = "swatch";
    mark.dataset.optimizer = o;
    mark.style.background = hue(o);
    return mark;
  }

  function made(tag, kind, ...inside) {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    element.append(...inside);
    return element;
  }

  // A card for each optimizer: its rule, and every quantity in it, from the gradient to the step.
  function drawCards() {
    $("cards").replaceChildren(...data.optimizers.flatMap((optimizer, o) => {
      const r = run(o);
      if (!shown[o] || !r.terms || at >= r.points.length - 1) return [];
      const step = [0, 1].map((k) => r.points[at + 1][k] - r.points[at][k]);
      const rows = [["∇f", r.gradients[at]], ...Object.entries(r.terms).map(([name, values]) => [name, values[at]]), ["Δ", step]];
      const body = made("tbody", "", ...rows.map(([name, value]) => {
        const head = made("th", "", name);
        head.scope = "row";
        return made("tr", "", head, ...value.map((x) => made("td", "", text(x))));
      }));
      const axes = made("tr", "", made("th", ""), ...["x", "y"].map((axis) => made("th", "", axis)));
      axes.childNodes.forEach((cell) => { cell.scope = "col"; });
      const lines = optimizer.formula.split(" ; ").map((line) => made("div", "", line));
      return [made("section", "card", made("h3", "", swatch(o), optimizer.name), made("div", "rule", ...lines),
        made("table", "", made("thead", "", axes), body))];
    }));
  }

  function draw() {
    const end = longest();
    at = Math.max(0, Math.min(at, end));
    $("where").textContent = `after ${at} of ${end}`;
    $("slider").max = end;
    $("slider").value = at;
    $("slider").setAttribute("aria-valuetext", `After step ${at} of ${end}`);
    $("first").disabled = $("previous").disabled = at === 0;
    $("last").disabled = $("next").disabled = at === end;
    drawSurface();
    drawTable();
    drawCards();
    drawCharts();
  }

  function go(to) { at = to; draw(); }

  function play(on) {
    clearInterval(timer);
    timer = 0;
    if (on) {
      if (at >= longest()) go(0);
      timer = setInterval(() => { go(at + 1); if (at >= longest()) play(false); }, 70);
    }
    $("play").textContent = on ? "Pause" : "Play";
    $("play").setAttribute("aria-label", on ? "Pause" : "Play");
    $("play").setAttribute("aria-pressed", String(on));
  }

  data.optimizers.forEach((optimizer, o) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.onchange = () => { shown[o] = box.checked; draw(); };
    label.append(box, swatch(o), optimizer.name);
    $("toggles").append(label);
  });
  data.starts.forEach((point, s) => $("start").add(new Option(`${s + 1}: ${pair(point)}`, String(s))));
  $("noise-label").hidden = data.runs.length < 2;
  $("noise-label").append(` (σ = ${text(data.noise)})`);
  for (const id of ["start", "noise", "all"]) $(id).onchange = draw;
  $("solid").onchange = () => {
    $("turn").hidden = !$("solid").checked;
    $("surface").classList.toggle("turns", $("solid").checked);
    draw();
  };
  const surface = $("surface");
  surface.onpointerdown = (event) => { if ($("solid").checked) surface.setPointerCapture(event.pointerId); };
  surface.onpointermove = (event) => {
    if (!surface.hasPointerCapture(event.pointerId)) return;
    solid.turnBy(event.movementX * 0.008, event.movementY * 0.006);
    drawSurface();
  };
  surface.onkeydown = (event) => {
    const way = { ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, 0.08], ArrowDown: [0, -0.08] }[event.key];
    if (!way || !$("solid").checked) return;
    solid.turnBy(...way);
    drawSurface();
    event.preventDefault();
    event.stopPropagation();
  };
  $("first").onclick = () => { play(false); go(0); };
  $("previous").onclick = () => { play(false); go(at - 1); };
  $("next").onclick = () => { play(false); go(at + 1); };
  $("last").onclick = () => { play(false); go(longest()); };
  $("play").onclick = () => play(!timer);
  $("slider").oninput = (event) => { play(false); go(Number(event.target.value)); };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return;
    const key = event.key;
    if (key === "ArrowRight" || key === "ArrowLeft") { play(false); go(at + (key === "ArrowRight" ? 1 : -1)); }
    else if (key === "Home") { play(false); go(0); }
    else if (key === "End") { play(false); go(longest()); }
    else if (key === " " && !["BUTTON", "INPUT"].includes(event.target.tagName)) play(!timer);
    else return;
    event.preventDefault();
  });
  addEventListener("resize", draw);
  night.addEventListener("change", () => {
    backdrop = null;
    for (const mark of document.querySelectorAll(".swatch")) mark.style.background = hue(mark.dataset.optimizer);
    draw();
  });
  const wish = location.hash.match(/^#(\d*)(-3d)?$/) || []; // race.html#40-3d opens after step 40, in three dimensions
  if (wish[2]) $("solid").checked = true;
  $("solid").onchange();
  go(Math.min(Number(wish[1] || 12), longest()));
})();
