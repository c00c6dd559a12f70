// What other settings would want of each group, by the formulas of curate/mixture: shares.by_quality,
// weights.softmax, and the nearest shares in KL between bounds (projection, one bound a group).
function wanted(groups, alpha, beta) {
  const settled = groups.filter((own) => own.supply > 0 && !own.is_tied);
  const among = settled.length ? settled : groups.filter((own) => own.supply > 0);
  const supply = groups.reduce((sum, own) => sum + own.supply, 0);
  const highest = Math.max(...among.map((own) => beta * own.quality));
  const weight = (own) => own.supply ** alpha * Math.exp(beta * own.quality - highest);
  const total = among.reduce((sum, own) => sum + weight(own), 0);
  const others = groups.filter((own) => !among.includes(own));
  const rest = 1 - others.reduce((sum, own) => sum + own.supply / supply, 0);
  return groups.map((own) =>
    among.includes(own) ? (rest * weight(own)) / total : own.supply / supply);
}

// clip(factor * wanted, low, high) with the factor that makes the sum 1; null where there is none.
function nearest(prior, low, high) {
  const sum = (log) => prior.reduce(
    (total, own, at) => total + Math.min(high[at], Math.max(low[at], own * Math.exp(log))), 0);
  let below = -60, above = 60;
  if (sum(below) > 1 + 1e-9 || sum(above) < 1 - 1e-9) return null;
  for (let step = 0; step < 200; step++) {
    const middle = (below + above) / 2;
    if (sum(middle) < 1) below = middle; else above = middle;
  }
  return prior.map((own, at) => Math.min(high[at], Math.max(low[at], own * Math.exp(above))));
}

// The mean quality of what is drawn: whole passes, then by Gumbel top-k, where a document of weight
// w is drawn with probability 1 - exp(-w * e^-cut).
function drawnQuality(own, share, budget, temperature) {
  const bins = own.tokens.length, known = own.tokens.reduce((sum, tokens) => sum + tokens, 0);
  if (!known || !(share > 0)) return null;
  const target = Math.min(share * budget * (known / own.supply), own.epochs * known);
  const passes = Math.min(Math.floor(target / known), own.epochs), rest = target - passes * known;
  const quality = (bin) => (bin + 0.5) / bins;
  const spread = own.spread > 0 ? own.spread : Infinity;
  const log = own.tokens.map((_, bin) =>
    temperature === Infinity ? 0 : (quality(bin) - own.mean) / spread / temperature);
  const chance = (bin, cut) => 1 - Math.exp(-Math.exp(log[bin] - cut));
  const taken = (cut) => own.tokens.reduce((sum, n, bin) => sum + n * chance(bin, cut), 0);
  let below = Math.min(...log) - 60, above = Math.max(...log) + 60;
  for (let step = 0; step < 100; step++) {
    const middle = (below + above) / 2;
    if (taken(middle) > rest) below = middle; else above = middle;
  }
  const drawn = own.tokens.map((n, bin) => n * (passes + (rest > 0 ? chance(bin, above) : 0)));
  const total = drawn.reduce((sum, n) => sum + n, 0);
  return total ? drawn.reduce((sum, n, bin) => sum + n * quality(bin), 0) / total : null;
}

// A number with so many decimals, and more where it would read as one of the ends and is not:
// see curate/rounding.py.
function decimals(number, least, ends = [0]) {
  for (let more = least; more <= 12; more++) {
    const text = number.toFixed(more);
    if (!ends.includes(Number(text)) || ends.includes(number)) return text;
  }
  return number.toFixed(least);
}

function whatIf(root, data) {
  const slider = (name) => root.querySelector(`input[name=${name}]`);
  const temperatures = [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, Infinity];
  const today = data.today, own = today.temperature ?? Infinity;
  if (!temperatures.includes(own)) temperatures.push(own);
  temperatures.sort((one, other) => one - other);
  const names = data.has_temperature ? ["alpha", "beta", "temperature", "cap"] : ["alpha", "beta", "cap"];
  if (!data.has_temperature) slider("temperature").closest("label").hidden = true;
  slider("temperature").max = temperatures.length - 1;
  slider("beta").min = Math.min(-10, today.beta);
  slider("beta").max = Math.max(10, today.beta);
  slider("cap").min = Math.ceil(100 / data.groups.length) / 100;
  const reset = () => {
    slider("alpha").value = today.alpha;
    slider("beta").value = today.beta;
    slider("temperature").value = temperatures.indexOf(own);
    slider("cap").value = 1;
    show();
  };
  const short = (number) => String(Number(number.toFixed(3)));
  const percent = (share) => `${decimals(100 * share, 1, [0, 100])} %`;
  const rounded = (name) => Number(Number(slider(name).value).toFixed(3)); // as in the recipe
  const settings = () => ({
    alpha: rounded("alpha"),
    beta: rounded("beta"),
    temperature: temperatures[Number(slider("temperature").value)],
    cap: rounded("cap"),
  });
  function recipe(own) {
    const within = !data.has_temperature ? ""
      : own.temperature === Infinity ? ", within: {strategy: equal}"
      : `, within: {strategy: softmax, temperature: ${own.temperature}}`;
    const limits = data.groups.filter((group) => group.is_limited).map((group) =>
      `${JSON.stringify(group.group)}: {min_share: ${short(group.least)}, ` +
      `max_share: ${short(Math.min(group.most, own.cap))}, max_epochs: ${group.epochs}}`);
    if (own.cap < 1) limits.push(`"*": {max_share: ${short(own.cap)}}`);
    const tail = limits.length ? `, limits: {${limits.join(", ")}}` : "";
    return `mix: {between: {strategy: quality, alpha: ${short(own.alpha)}, ` +
      `beta: ${short(own.beta)}}${within}${tail}}`;
  }
  function show() {
    const own = settings(), groups = data.groups;
    const low = groups.map((group) => group.least);
    const high = groups.map((group) =>
      Math.min(group.most, own.cap, (group.epochs * group.supply) / data.budget));
    const shares = nearest(wanted(groups, own.alpha, own.beta), low, high);
    for (const name of names) {
      const value = own[name];
      root.querySelector(`output[name=${name}]`).textContent =
        name === "cap" ? percent(value) : value === Infinity ? data.words.none : short(value);
      if (name === "temperature") slider(name).setAttribute("aria-valuetext",
        value === Infinity ? data.words.none : short(value));
    }
    root.querySelector("[role=status]").textContent = shares ? "" : data.words.impossible;
    root.querySelectorAll("tbody tr").forEach((row, at) => {
      const share = shares ? shares[at] : NaN, group = groups[at];
      const cell = (name) => row.querySelector(`[data-is=${name}]`);
      cell("share").dataset.share = share;
      cell("share").textContent = shares ? percent(share) : "–";
      cell("bar").style.setProperty("--share", shares ? share : 0);
      cell("epochs").textContent =
        shares && group.supply ? decimals((share * data.budget) / group.supply, 2) : "–";
      const quality = shares && data.has_temperature
        ? drawnQuality(group, share, data.budget, own.temperature) : null;
      cell("quality").dataset.quality = quality;
      cell("quality").textContent = quality === null ? "–" : decimals(quality, 3);
    });
    root.querySelector("code.recipe").textContent = recipe(own);
  }
  root.querySelectorAll("input").forEach((input) => input.addEventListener("input", show));
  root.querySelector("button.reset").addEventListener("click", reset);
  reset();
}
