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

  const noisy = () => ($("noise").checked && data.runs.length > 1 ? 1 : 0);
  const start = () => Number($("start").value);
  const run = (o, s = start()) => data.runs[noisy()][o][s];
  const longest = () => Math.max(...data.optimizers.map((_, o) => run(o).points.length - 1));
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

  function valueAt(u, v) { // bilinear, u and v in grid cells
    const last = data.grid.length - 1;
    const i = Math.min(Math.floor(u), last - 1);
    const j = Math.min(Math.floor(v), last - 1);
    const a = data.grid[j][i] ?? Infinity, b = data.grid[j][i + 1] ?? Infinity;
    const c = data.grid[j + 1][i] ?? Infinity, d = data.grid[j + 1][i + 1] ?? Infinity;
    const p = u - i, q = v - j;
    return (a * (1 - p) + b * p) * (1 - q) + (c * (1 - p) + d * p) * q;
  }

  function paintBackdrop(width, height, ratio) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const low = dark ? [18, 26, 38] : [246, 250, 254];
    const high = dark ? [52, 92, 140] : [122, 166, 211];
    const w = Math.round(width * ratio), h = Math.round(height * ratio);
    const image = new ImageData(w, h);
    const last = data.grid.length - 1;
    const band = new Int16Array(w * h);
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        const f = valueAt(column / (w - 1) * last, (1 - row / (h - 1)) * last);
        let level = 0;
        while (level < data.levels.length && f > data.levels[level]) level++;
        band[row * w + column] = level;
      }
    }
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        const here = row * w + column;
        const share = Math.max(0, band[here] - 1) / Math.max(1, data.levels.length - 1);
        const edge = band[here] !== band[here + (column < w - 1 ? 1 : 0)] || band[here] !== band[here + (row < h - 1 ? w : 0)];
        for (let k = 0; k < 3; k++) {
          const color = low[k] + (high[k] - low[k]) * share;
          image.data[4 * here + k] = edge ? color * (dark ? 1.5 : 0.82) : color;
        }
        image.data[4 * here + 3] = 255;
      }
    }
    return image;
  }

  function drawMap() {
    const { pen, width, height, ratio } = sized($("surface"));
    if (!backdrop || backdrop.width !== $("surface").width || backdrop.height !== $("surface").height) {
      backdrop = paintBackdrop(width, height, ratio);
    }
    pen.putImageData(backdrop, 0, 0);
    const place = ([x, y]) => [(x - x0) / (x1 - x0) * width, (1 - (y - y0) / (y1 - y0)) * height];
    const ink = css("--ink"), paper = css("--paper");
    for (const point of data.minima) star(pen, ...place(point), ink, paper);
    const starts = $("all").checked ? data.starts.map((_, s) => s) : [start()];
    for (const s of starts) {
      data.optimizers.forEach((optimizer, o) => {
        if (!shown[o]) return;
        const points = run(o, s).points.slice(0, at + 1).map(place);
        pen.strokeStyle = pen.fillStyle = optimizer.color;
        pen.lineWidth = 2;
        pen.lineJoin = "round";
        pen.globalAlpha = s === start() ? 1 : 0.45;
        pen.beginPath();
        points.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
        pen.stroke();
        dot(pen, ...points[points.length - 1], 5.5, optimizer.color, paper);
        pen.globalAlpha = 1;
      });
      dot(pen, ...place(data.starts[s]), 4, ink, paper);
    }
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
    const values = series.flatMap((s) => s.values).filter((v) => v > 0);
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
    for (let e = low; e <= high; e += Math.ceil((high - low) / 4)) {
      pen.beginPath(); pen.moveTo(left, py(10 ** e)); pen.lineTo(width - right, py(10 ** e)); pen.stroke();
      pen.fillText(`1e${e}`.replace("-", "−"), left - 5, py(10 ** e) + 4);
    }
    [0, Math.round(longest() / 2), longest()].forEach((i, place) => {
      pen.textAlign = ["left", "center", "right"][place];
      pen.fillText(String(i), px(i), height - 4);
    });
    for (const s of series) {
      pen.strokeStyle = s.color;
      pen.lineWidth = 1.8;
      pen.beginPath();
      s.values.forEach((v, i) => (i ? pen.lineTo(px(i), py(v)) : pen.moveTo(px(i), py(v))));
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
      color: data.optimizers[o].color,
      values: run(o).losses.map((f) => Math.max(f - low, 1e-16)),
    })));
    chart($("length"), visible.map((o) => ({
      color: data.optimizers[o].color,
      values: run(o).points.slice(1).map((p, i) => Math.max(Math.hypot(p[0] - run(o).points[i][0], p[1] - run(o).points[i][1]), 1e-16)),
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
      head.append(swatch(optimizer.color), optimizer.short);
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

  function swatch(color) {
    const mark = document.createElement("span");
    mark.className = "swatch";
    mark.style.background = color;
    return mark;
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
    drawMap();
    drawTable();
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
    label.append(box, swatch(optimizer.color), optimizer.name);
    $("toggles").append(label);
  });
  data.starts.forEach((point, s) => $("start").add(new Option(`${s + 1}: ${pair(point)}`, String(s))));
  $("noise-label").hidden = data.runs.length < 2;
  $("noise-label").append(` (σ = ${text(data.noise)})`);
  for (const id of ["start", "noise", "all"]) $(id).onchange = draw;
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
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { backdrop = null; draw(); });
  go(Math.min(12, longest()));
})();
