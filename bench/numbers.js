/** The middle one, or between the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Three significant digits, with thousands separated. */
export function number(value) {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 4 });
}
