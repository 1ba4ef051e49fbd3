// The page's data, how it is looked up, and how figures are written. Nothing here touches the document.
// SPDX-License-Identifier: Apache-2.0

const page = JSON.parse(document.getElementById('report-data').textContent);

// The zones of eta in which an interval must lie for a verdict.
const NONE_WITHIN = 0.02;
const FULL_ABOVE = 0.95;

const RUNGS = [
  'engine',
  'apparent',
  'files',
  'extents',
  'btrfs',
  'filesystem',
  'kubelet',
  'minio',
  'zfs',
  'zpool',
  'volume',
  'volume:trimmed',
  'vdo',
];
const PARTS = ['payload', 'index', 'log', 'meta'];
const STATES = ['valid', 'invalid', 'superseded', 'unsupported'];
const WORDS = {
  none: 'none',
  partial: 'partial',
  full: 'full',
  semantic: 'semantic',
  inconclusive: 'inconclusive',
  too_few_repetitions: 'too few',
  withheld: 'withheld',
  unanswered: 'no answer',
};
const WORD_MEANINGS = {
  none: 'duplicates are paid in full',
  partial: 'a part is removed',
  full: 'duplicates are free',
  semantic: 'one object per key is kept, as declared',
  inconclusive: 'the interval spans zones, or there is no eta',
  too_few_repetitions: 'fewer than 5 complete valid pairs',
  withheld: 'a control failed',
  unanswered: 'no complete valid pair',
};

// Figures as text: three significant digits, a real minus sign.
const MINUS = '\u2212';
const signed = (text) => text.replace('-', MINUS);

const wholeNumbers = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0});

function formatCount(value) {
  return wholeNumbers.format(value);
}

function formatSignificant(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return signed(formatCount(value));
  const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return signed(value.toFixed(Math.min(digits, 6)));
}

function formatBytes(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || Number.isInteger(value) ? signed(String(value)) : formatSignificant(value);
  return `${text} ${units[unit]}`;
}

function formatEta(value) {
  const text = value.toFixed(3);
  return text === '-0.000' ? '0.000' : signed(text);
}

function formatInterval(low, high, format = formatEta) {
  return low === null || high === null || low === undefined ? '' : `[${format(low)}, ${format(high)}]`;
}

function formatShare(value) {
  const percent = value * 100;
  const text = percent.toFixed(Math.abs(percent) < 10 ? 1 : 0);
  return `${signed(text.replace(/^-?0\.0$/, '0'))} %`;
}

// For axes: "1 ms", not "1.00 ms".
const plainTick = (format) => (value) => (value === 0 ? '0' : format(value).replace(/\.0+(?=\D|$)/, ''));

function formatMicroseconds(value) {
  if (value < 1000) return `${formatSignificant(value)} µs`;
  if (value < 1e6) return `${formatSignificant(value / 1000)} ms`;
  return `${formatSignificant(value / 1e6)} s`;
}

function formatSeconds(value) {
  if (value < 1) return `${formatSignificant(value * 1000)} ms`;
  if (value < 120) return `${formatSignificant(value)} s`;
  return value < 7200 ? `${formatSignificant(value / 60)} min` : `${formatSignificant(value / 3600)} h`;
}

const unique = (list) => [...new Set(list)];
const gradeNumber = (grade) => Number(grade.slice(1));
const byGrade = (a, b) => gradeNumber(a) - gradeNumber(b);
const nameOf = (point) => (point.variant === 'default' ? point.system : `${point.system}/${point.variant}`);
const textAt = (index) => (index === undefined ? '' : page.texts[index]);
const probeIndex = (probe) => page.probes.indexOf(probe);

// Matrix points of the plan; the controls that the program added have a section of their own.
const planPoints = page.points.filter((point) => !point.control);
const names = unique(planPoints.map(nameOf));
const payloads = unique(planPoints.map((point) => point.payload));
const grades = unique(planPoints.map((point) => point.grade)).sort(byGrade);

function validRows(point) {
  return point ? point.rows.map((index) => page.rows[index]).filter((row) => row.state === 0) : [];
}

function storedBytes(row, probe) {
  const index = probeIndex(probe);
  return index < 0 ? null : (row.stored[index] ?? null);
}

// Conditions: how much, in which order, where, how. A folder's files are as large as they are, so a folder
// goes with each amount.
const conditionFields = ['total', 'objects', 'size', 'unit', 'order', 'placement', 'mode', 'cache'];
const keyOf = (point, fields) => fields.map((field) => point[field]).join('\n');

function listConditions() {
  const sized = planPoints.filter((point) => point.size !== 'as found');
  const found = new Map();
  for (const point of sized.length > 0 ? sized : planPoints) {
    const key = keyOf(point, conditionFields);
    if (!found.has(key)) found.set(key, point);
  }
  return [...found].map(([key, point]) => ({key, point, label: conditionLabel(point)}));
}

function conditionLabel(point) {
  const size = /^\d+$/.test(point.size) ? formatBytes(Number(point.size)) : point.size;
  return [
    `${formatCount(point.objects)} × ${size}`,
    ...(point.unit === 'object' ? [] : [`duplicate unit ${point.unit}`]),
    point.order,
    point.placement,
    point.mode,
    point.cache,
  ].join(', ');
}

const conditions = listConditions();

function inCondition(point, key) {
  const condition = conditions.find((candidate) => candidate.key === key)?.point;
  if (!condition) return false;
  const fields = ['unit', 'order', 'placement', 'mode', 'cache'];
  if (point.size !== 'as found') fields.push('total', 'objects', 'size');
  return fields.every((field) => point[field] === condition[field]);
}

// Stages, each in its chain: the same stage may stand in several.
const stageKeys = unique(planPoints.map((point) => `${point.chain}|${point.stage}`));

function stageLabel(key) {
  const [chain, stage] = key.split('|');
  const alone = stageKeys.filter((other) => other.split('|')[1] === stage).length === 1;
  if (alone) return stage;
  return chain === stage ? `${stage} alone` : `${stage} (${chain.replaceAll('>', ' › ')})`;
}

const pointsByPlace = new Map();
for (const point of planPoints) {
  const place = [nameOf(point), point.payload, point.grade, `${point.chain}|${point.stage}`].join('\n');
  if (!pointsByPlace.has(place)) pointsByPlace.set(place, []);
  pointsByPlace.get(place).push(point);
}

function findPoint(name, payload, grade, stageKey, conditionKey) {
  const candidates = pointsByPlace.get([name, payload, grade, stageKey].join('\n')) ?? [];
  return candidates.find((point) => inCondition(point, conditionKey));
}

// Why a point has no figure, in words: never a zero, never an empty cell without a reason.
function whyMissing(point, probe = 'files') {
  if (!point) return page.run.finished < page.run.planned ? 'not run yet' : 'not in the plan';
  const rows = point.rows.map((index) => page.rows[index]);
  const index = probeIndex(probe);
  for (const row of rows) {
    const found = (row.missing ?? []).find(([number]) => number === index);
    if (found) return textAt(found[1]);
  }
  const failed = rows.find((row) => row.state !== 0 && row.reason !== undefined);
  if (failed)
    return textAt(failed.reason).startsWith(STATES[failed.state])
      ? textAt(failed.reason)
      : `${STATES[failed.state]}: ${textAt(failed.reason)}`;
  return rows.length === 0 ? 'only superseded records' : 'no probe of this name answered';
}

// Statistics for drawing. Intervals come with the data; these are means and ranges over repetitions.
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function spread(values) {
  const known = values.filter((value) => value !== null && value !== undefined && Number.isFinite(value));
  if (known.length === 0) return null;
  return {
    mean: mean(known),
    low: Math.min(...known),
    high: Math.max(...known),
    n: known.length,
    values: known,
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
