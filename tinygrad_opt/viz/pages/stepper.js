"use strict";
// Shows one step at a time; every step is drawn from scratch, so jumping about is as good as walking.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const nodes = new Map([...document.querySelectorAll("#graph .node")].map((g) => [g.id, g]));
  const edges = [...document.querySelectorAll("#graph .edge")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let at = (Number(location.hash.slice(1)) || 1) - 1; // page.html#5 opens at step 5
  let timer = 0;

  const steps = () => data.forward.concat($("wrong").checked ? data.wrong : data.right);

  function mark(list, step) {
    const done = new Set(list.slice(0, at + 1).flatMap((s) => s.show));
    const lit = new Set(step.nodes);
    const arrows = new Set(step.edges.map((e) => e.join(" ")));
    for (const [id, node] of nodes) {
      const isValue = node.classList.contains("value");
      const ran = isValue ? done.has(id) : edges.some((e) => e.dataset.from === id && done.has(e.dataset.to));
      node.classList.toggle("lit", lit.has(id));
      node.classList.toggle("pending", !ran && !lit.has(id));
      node.classList.toggle("has-grad", Boolean(step.grads && step.grads[id]));
      const lines = (step.grads && step.grads[id]) || ["grad ?"];
      node.querySelectorAll(".l-grad").forEach((text, i) => { text.textContent = lines[i] ?? ""; });
    }
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      edge.classList.toggle("lit", arrows.has(`${from} ${to}`));
      const end = nodes.get(to);
      edge.classList.toggle("pending", Boolean(end && end.classList.contains("pending")));
    }
  }

  function reveal(step) {
    const boxes = step.nodes.map((id) => nodes.get(id)).filter(Boolean).map((n) => n.getBoundingClientRect());
    if (!boxes.length) return;
    const graph = $("graph");
    const view = graph.getBoundingClientRect();
    const middle = (low, high) => (Math.min(...boxes.map((b) => b[low])) + Math.max(...boxes.map((b) => b[high]))) / 2;
    graph.scrollBy({
      left: middle("left", "right") - (view.left + view.right) / 2,
      top: middle("top", "bottom") - (view.top + view.bottom) / 2,
      behavior: calm.matches ? "auto" : "smooth",
    });
  }

  // As large as fits, but never so small that it cannot be read: then the graph scrolls.
  function fit() {
    const svg = document.querySelector("#graph svg");
    const { width, height } = svg.viewBox.baseVal;
    const graph = $("graph");
    const whole = Math.min((graph.clientWidth - 34) / width, (graph.clientHeight - 34) / height);
    const readable = Math.min(1.2, Math.max(0.8, (graph.clientWidth - 34) / width));
    const scale = whole > 0.9 ? Math.min(whole, 2.2) : readable;
    svg.setAttribute("width", Math.round(width * scale));
    svg.setAttribute("height", Math.round(height * scale));
  }

  function draw() {
    const list = steps();
    at = Math.max(0, Math.min(at, list.length - 1));
    const step = list[at];
    document.body.className = step.phase;
    const panel = $("panel");
    panel.innerHTML = step.html;
    const title = document.createElement("h2");
    title.textContent = step.title;
    panel.prepend(title);
    panel.scrollTop = 0;
    $("where").textContent = `${step.phase}, ${at + 1} of ${list.length}`;
    $("slider").max = list.length - 1;
    $("slider").value = at;
    $("slider").setAttribute("aria-valuetext", `Step ${at + 1} of ${list.length}: ${step.title}`);
    $("first").disabled = $("previous").disabled = at === 0;
    $("last").disabled = $("next").disabled = at === list.length - 1;
    mark(list, step);
    reveal(step);
  }

  function go(to) { at = to; draw(); }

  function play(on) {
    clearInterval(timer);
    timer = 0;
    if (on) {
      if (at === steps().length - 1) go(0);
      timer = setInterval(() => { go(at + 1); if (at === steps().length - 1) play(false); }, 1800);
    }
    $("play").textContent = on ? "Pause" : "Play";
    $("play").setAttribute("aria-label", on ? "Pause" : "Play");
    $("play").setAttribute("aria-pressed", String(on));
  }

  $("first").onclick = () => { play(false); go(0); };
  $("previous").onclick = () => { play(false); go(at - 1); };
  $("next").onclick = () => { play(false); go(at + 1); };
  $("last").onclick = () => { play(false); go(steps().length - 1); };
  $("play").onclick = () => play(!timer);
  $("slider").oninput = (event) => { play(false); go(Number(event.target.value)); };
  $("wrong").onchange = () => { if (at > data.forward.length) at = data.forward.length; draw(); };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const key = event.key;
    const slider = event.target === $("slider");
    if (key === "ArrowRight" || key === "ArrowLeft") { play(false); go(at + (key === "ArrowRight" ? 1 : -1)); }
    else if (key === "Home") { play(false); go(0); }
    else if (key === "End") { play(false); go(steps().length - 1); }
    else if (key === " " && !["BUTTON", "INPUT"].includes(event.target.tagName)) play(!timer);
    else return;
    event.preventDefault();
    if (slider) $("slider").value = at;
  });
  addEventListener("resize", () => { fit(); draw(); });
  fit();
  draw();
})();
