// A map of documents on a canvas. Points are drawn once for each colouring; a grid finds the nearest.
function numbers(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

function pointMap(root, data) {
  const canvas = root.querySelector("canvas"), told = root.querySelector(".told");
  const choice = root.querySelector("select"), legend = root.querySelector(".legend");
  const x = numbers(data.x, Uint16Array), y = numbers(data.y, Uint16Array), n = x.length;
  const colourings = data.colours.map((own) => ({ ...own, codes: numbers(own.codes, Uint8Array) }));
  const palette = ["#3f6fb5", "#d9822b", "#2a9d6f", "#c2504d", "#8e5ea2", "#8c6d3f", "#d977b0",
    "#6b7785", "#a8a032", "#2ea3b5", "#9aa5b1"];
  const scale = (part) => `hsl(${Math.round(250 - 200 * part)} 65% ${Math.round(38 + 22 * part)}%)`;
  const colour = (own, code) => code === 255 ? "#9aa5b1"
    : own.kind === "number" ? scale(code / 254) : palette[Math.min(code, palette.length - 1)];
  let width = 0, height = 0, current = -1, base = null;
  const at = (point) => [8 + (x[point] / 65535) * (width - 16), 8 + (1 - y[point] / 65535) * (height - 16)];

  const SIDE = 64, cells = Array.from({ length: SIDE * SIDE }, () => []);
  const cell = (value) => Math.min(SIDE - 1, value >> 10);
  for (let point = 0; point < n; point++) cells[cell(y[point]) * SIDE + cell(x[point])].push(point);

  function draw() {
    const ratio = window.devicePixelRatio || 1, own = colourings[choice.selectedIndex];
    width = canvas.clientWidth;
    height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    base = document.createElement("canvas");
    base.width = canvas.width;
    base.height = canvas.height;
    const pen = base.getContext("2d"), size = n > 5000 ? 2 : n > 500 ? 3.5 : 6;
    pen.scale(ratio, ratio);
    pen.globalAlpha = 0.75;
    const byCode = new Map();
    for (let point = 0; point < n; point++) {
      const code = own.codes[point];
      if (!byCode.has(code)) byCode.set(code, []);
      byCode.get(code).push(point);
    }
    for (const [code, points] of byCode) {
      pen.fillStyle = colour(own, code);
      for (const point of points) {
        const [left, top] = at(point);
        pen.fillRect(left - size / 2, top - size / 2, size, size);
      }
    }
    mark(current);
    explain(own);
  }

  function explain(own) {
    const entry = (fill, words) => {
      const item = document.createElement("li"), spot = document.createElement("span");
      spot.className = "spot";
      spot.style.background = fill;
      item.append(spot, words);
      return item;
    };
    legend.replaceChildren(...(own.kind === "number"
      ? [0, 127, 254].map((code) => entry(scale(code / 254), (code / 254).toFixed(1)))
      : own.names.map((name, code) => entry(colour(own, code), name))));
  }

  function mark(point) {
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (base.width && base.height) pen.drawImage(base, 0, 0);
    if (point < 0) return;
    const ratio = window.devicePixelRatio || 1, [left, top] = at(point);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.lineWidth = 2;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.beginPath();
    pen.arc(left, top, 7, 0, 2 * Math.PI);
    pen.stroke();
  }

  function tell(point) {
    if (point === current) return;
    current = point;
    mark(point);
    if (point < 0) return;
    const facts = colourings.map((own) => {
      const code = own.codes[point];
      const value = code === 255 ? "–"
        : own.kind === "number" ? (code / 254).toFixed(2) : own.names[code];
      return `${own.name}: ${value}`;
    });
    told.textContent = `${data.texts[point]}\n${facts.join(" · ")}`;
    canvas.dataset.point = point;
  }

  // The nearest point within a radius of so many pixels, by the grid; -1 if there is none.
  function nearestTo(left, top, radius) {
    const far = (65535 * radius) / Math.max(1, Math.min(width, height) - 16);
    const own = [((left - 8) / (width - 16)) * 65535, (1 - (top - 8) / (height - 16)) * 65535];
    let best = -1, least = radius * radius;
    for (let row = cell(Math.max(0, own[1] - far)); row <= cell(Math.max(0, Math.min(65535, own[1] + far))); row++)
      for (let column = cell(Math.max(0, own[0] - far)); column <= cell(Math.max(0, Math.min(65535, own[0] + far))); column++)
        for (const point of cells[row * SIDE + column]) {
          const [across, down] = at(point), distance = (across - left) ** 2 + (down - top) ** 2;
          if (distance < least) [best, least] = [point, distance];
        }
    return best;
  }

  // The nearest point to the current one in the direction of an arrow key.
  function beyond(across, down) {
    const [left, top] = at(current);
    let best = current, least = Infinity;
    for (let point = 0; point < n; point++) {
      const [right, bottom] = at(point), along = (right - left) * across + (bottom - top) * down;
      if (along <= 1) continue;
      const aside = Math.abs((right - left) * down) + Math.abs((bottom - top) * across);
      const cost = along + 3 * aside;
      if (cost < least) [best, least] = [point, cost];
    }
    return best;
  }

  canvas.addEventListener("pointermove", (event) => {
    const frame = canvas.getBoundingClientRect();
    tell(nearestTo(event.clientX - frame.left, event.clientY - frame.top, 20));
  });
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    tell(current < 0 ? 0 : beyond(...way));
  });
  choice.addEventListener("change", draw);
  new ResizeObserver(draw).observe(canvas);
}
