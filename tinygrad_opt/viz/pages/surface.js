"use strict";
// The surface in three dimensions: a mesh seen from a point that can be turned, drawn from back to front.
function solidView(data) {
  const [x0, x1, y0, y1] = data.bounds;
  const last = data.grid.length - 1;
  const cells = 40;
  const finite = data.grid.flat().filter((f) => f !== null).sort((a, b) => a - b);
  const low = Math.min(data.lowest, finite[0]);
  const floor = 1e-2 * (finite[finite.length >> 1] - low) + 1e-12;
  const log = (f) => Math.log10(Math.max(f - low, 0) + floor);
  const bottom = log(low), range = log(finite[finite.length - 1]) - bottom || 1;
  const height = (f) => (f === null || !Number.isFinite(f) ? 1 : Math.min((log(f) - bottom) / range, 1));
  const heights = Array.from({ length: cells + 1 }, (_, j) => Array.from({ length: cells + 1 }, (_, i) =>
    height(data.grid[Math.round(j / cells * last)][Math.round(i / cells * last)])));
  let turn = -0.65;
  let tilt = 0.62;

  function projector(width, tall) {
    const scale = Math.min(width / 1.72, tall / (0.7 * Math.cos(tilt) + 1.72 * Math.sin(tilt)));
    const [c, s, up, out] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    return (u, v, h) => { // u, v and h from 0 to 1: place on the screen, and how far away
      const across = (u - 0.5) * c - (v - 0.5) * s, away = (u - 0.5) * s + (v - 0.5) * c;
      return [width / 2 + scale * across, tall / 2 - scale * (0.62 * (h - 0.5) * up + away * out), away];
    };
  }

  function mesh(at, dark) {
    const [dim, bright] = dark ? [[20, 32, 50], [92, 142, 204]] : [[226, 238, 249], [70, 124, 186]];
    const pieces = [];
    for (let j = 0; j < cells; j++) {
      for (let i = 0; i < cells; i++) {
        const h = [heights[j][i], heights[j][i + 1], heights[j + 1][i + 1], heights[j + 1][i]];
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]].map(([u, v], k) => at(u / cells, v / cells, h[k]));
        const slope = [(h[1] - h[0] + h[2] - h[3]) / 2 * cells, (h[3] - h[0] + h[2] - h[1]) / 2 * cells];
        const light = (1 + 0.45 * slope[0] - 0.3 * slope[1]) / Math.hypot(1, ...slope) / 1.15;
        const share = (h[0] + h[1] + h[2] + h[3]) / 4;
        const color = dim.map((from, k) => Math.round((from + (bright[k] - from) * share) * (0.74 + 0.3 * Math.max(0, light))));
        pieces.push({ away: corners.reduce((sum, p) => sum + p[2], 0) / 4, corners, color: `rgb(${color})` });
      }
    }
    return pieces;
  }

  function ribbons(at, paths) {
    const pieces = [];
    for (const path of paths) {
      const places = path.points.map(([x, y], i) => {
        const u = (x - x0) / (x1 - x0), v = (y - y0) / (y1 - y0);
        return u < 0 || u > 1 || v < 0 || v > 1 ? null : at(u, v, height(path.losses[i]) + 0.012);
      });
      places.forEach((place, i) => {
        const before = i ? places[i - 1] : null;
        if (place && before) pieces.push({ away: Math.min(place[2], before[2]) - 2 / cells, line: [before, place], path });
      });
      const end = places[places.length - 1];
      if (end) pieces.push({ away: end[2] - 3 / cells, dot: end, path });
    }
    return pieces;
  }

  function frame(pen, at, ink) { // the floor's outline, with the extent of x and y at its corners
    pen.strokeStyle = pen.fillStyle = ink;
    pen.lineWidth = 1;
    pen.textAlign = "center";
    pen.beginPath();
    for (const [u, v] of [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) pen.lineTo(...at(u, v, 0).slice(0, 2));
    pen.stroke();
    const near = (a, b) => (at(...a, 0)[2] < at(...b, 0)[2] ? a : b);
    const v = near([0.5, 0], [0.5, 1])[1], u = near([0, 0.5], [1, 0.5])[0];
    const far = (side) => (side ? 1.1 : -0.1);
    for (const share of [0.06, 0.5, 0.94]) {
      const number = (from, to) => String(Number((from + share * (to - from)).toPrecision(2))).replace("-", "−");
      const [ax, ay] = at(share, far(v), 0), [bx, by] = at(far(u), share, 0);
      pen.fillText(share === 0.5 ? "x" : number(x0, x1), ax, ay + 4);
      pen.fillText(share === 0.5 ? "y" : number(y0, y1), bx, by + 4);
    }
  }

  return {
    turnBy(right, up) {
      turn += right;
      tilt = Math.max(0.12, Math.min(1.5, tilt + up));
    },
    draw(pen, width, tall, colors, paths) {
      const at = projector(width, tall);
      pen.clearRect(0, 0, width, tall);
      frame(pen, at, colors.muted);
      pen.lineJoin = pen.lineCap = "round";
      const pieces = [...mesh(at, colors.dark), ...ribbons(at, paths)].sort((a, b) => b.away - a.away);
      for (const piece of pieces) {
        pen.globalAlpha = piece.path ? piece.path.alpha : 1;
        pen.beginPath();
        if (piece.corners) {
          for (const [x, y] of piece.corners) pen.lineTo(x, y);
          pen.closePath();
          pen.fillStyle = pen.strokeStyle = piece.color;
          pen.lineWidth = 0.6;
          pen.fill();
        } else if (piece.line) {
          for (const [x, y] of piece.line) pen.lineTo(x, y);
          pen.strokeStyle = piece.path.color;
          pen.lineWidth = piece.path.width + 0.4;
        } else {
          pen.arc(piece.dot[0], piece.dot[1], 5.5, 0, 2 * Math.PI);
          pen.fillStyle = piece.path.color;
          pen.strokeStyle = colors.paper;
          pen.lineWidth = 1.5;
          pen.fill();
        }
        pen.stroke();
      }
      pen.globalAlpha = 1;
    },
  };
}
