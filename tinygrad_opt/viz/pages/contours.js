"use strict";
// The surface from above: a band of colour for each level, a line between two.
function valueAt(data, u, v) { // bilinear, u and v in grid cells
  const last = data.grid.length - 1;
  const i = Math.min(Math.floor(u), last - 1);
  const j = Math.min(Math.floor(v), last - 1);
  const a = data.grid[j][i] ?? Infinity, b = data.grid[j][i + 1] ?? Infinity;
  const c = data.grid[j + 1][i] ?? Infinity, d = data.grid[j + 1][i + 1] ?? Infinity;
  const p = u - i, q = v - j;
  return (a * (1 - p) + b * p) * (1 - q) + (c * (1 - p) + d * p) * q;
}

function paintContours(data, w, h, dark) {
  const low = dark ? [18, 26, 38] : [246, 250, 254];
  const high = dark ? [52, 92, 140] : [122, 166, 211];
  const image = new ImageData(w, h);
  const last = data.grid.length - 1;
  const band = new Int16Array(w * h);
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      const f = valueAt(data, column / (w - 1) * last, (1 - row / (h - 1)) * last);
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
