// Hides and shows an optimizer in all charts at once, and says the values under the pointer.
(() => {
  const hidden = new Set();
  document.querySelectorAll(".legend button").forEach((button) => {
    button.addEventListener("click", () => {
      const name = button.dataset.series;
      hidden.has(name) ? hidden.delete(name) : hidden.add(name);
      button.setAttribute("aria-pressed", String(!hidden.has(name)));
      document.querySelectorAll("g.series").forEach((g) => {
        if (g.dataset.series === name) g.classList.toggle("off", hidden.has(name));
      });
    });
  });
  document.querySelectorAll("figure").forEach((figure) => {
    const chart = figure.querySelector("svg.chart");
    if (!chart) return;
    const cursor = chart.querySelector(".cursor");
    const width = chart.viewBox.baseVal.width;
    const series = [...chart.querySelectorAll("g.series")].map((g) => ({
      g, name: g.dataset.series,
      points: g.dataset.points.split(";").filter(Boolean).map((text) => {
        const cut = text.split(/,(?! )/);
        return { x: +cut[0], y: +cut[1], value: cut[cut.length - 1], at: cut.slice(2, -1).join(",") };
      }),
    }));
    let tip = null;
    const leave = () => { tip?.remove(); tip = null; cursor.setAttribute("visibility", "hidden"); };
    chart.addEventListener("pointerleave", leave);
    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const px = ((event.clientX - box.left) / box.width) * width;
      const near = series.filter((s) => !hidden.has(s.name) && s.points.length).map((s) => ({
        ...s, point: s.points.reduce((a, b) => (Math.abs(b.x - px) < Math.abs(a.x - px) ? b : a)),
      }));
      if (!near.length) return leave();
      const closest = near.reduce((a, b) => (Math.abs(b.point.x - px) < Math.abs(a.point.x - px) ? b : a)).point;
      const shown = near.filter((s) => Math.abs(s.point.x - closest.x) < 6).sort((a, b) => a.point.y - b.point.y);
      cursor.setAttribute("x1", closest.x); cursor.setAttribute("x2", closest.x);
      cursor.setAttribute("visibility", "visible");
      if (!tip) { tip = document.createElement("div"); tip.className = "tip"; figure.append(tip); }
      tip.replaceChildren();
      const head = document.createElement("b");
      head.textContent = `${chart.dataset.x}: ${closest.at}`;
      tip.append(head);
      shown.forEach((s) => {
        const line = document.createElement("div");
        const mark = document.createElement("i");
        mark.style.background = getComputedStyle(s.g).getPropertyValue("--c");
        line.append(mark, `${s.name}  ${s.point.value}`);
        tip.append(line);
      });
      const left = (closest.x / width) * box.width + 10;
      const flip = left + tip.offsetWidth + 24 > figure.clientWidth;
      tip.style.left = `${flip ? Math.max(4, left - tip.offsetWidth - 12) : left + 14}px`;
      tip.style.top = `${Math.max(30, event.clientY - figure.getBoundingClientRect().top - tip.offsetHeight - 8)}px`;
    });
  });
})();
