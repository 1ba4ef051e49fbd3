// What a layer below could still remove from the files, by block size; and where every copy went.
// SPDX-License-Identifier: Apache-2.0

// A row of a scan as the page's data has it.
function scanFigures([chunker, part, bytes, uniqueBytes, zeroBytes, align]) {
  const [kind, size] = textAt(chunker).split(':');
  return {
    kind,
    size: Number(size),
    align,
    part: textAt(part),
    bytes,
    residual: bytes > 0 ? 1 - uniqueBytes / bytes : null,
    zeros: bytes > 0 ? zeroBytes / bytes : null,
  };
}

const scannedStages = () => stagesWith((row) => row.scan !== undefined);
const scanPoint = (name, payload, grade) =>
  findPoint(name, payload, grade, view.scanStage, view.condition);

function scanParts() {
  const parts = unique(
    page.rows.flatMap((row) => (row.scan?.rows ?? []).map((entry) => scanFigures(entry).part)),
  );
  return ['all', ...PARTS, 'mixed'].filter((part) => parts.includes(part));
}

// Means over the repetitions, of the chosen part: one entry a chunker, small chunks first.
function scanCurve(point) {
  const found = validRows(point).flatMap((row) => (row.scan?.rows ?? []).map(scanFigures));
  const own = found.filter((entry) => entry.part === view.scanPart && entry.align === 0);
  const chunkers = unique(own.map((entry) => `${entry.kind}:${entry.size}`));
  return chunkers
    .map((name) => {
      const same = own.filter((entry) => `${entry.kind}:${entry.size}` === name);
      return {
        name,
        kind: same[0].kind,
        size: same[0].size,
        residual: spread(same.map((entry) => entry.residual)),
        zeros: spread(same.map((entry) => entry.zeros)),
        bytes: spread(same.map((entry) => entry.bytes)),
      };
    })
    .filter((entry) => entry.residual)
    .sort((a, b) => a.size - b.size);
}

// The share of the payload that is copies: 1 - U/L, from the manifest.
const idealShare = (point) => (point?.edr_max ? 1 - 1 / point.edr_max : null);

function scanLine(curve, sizes, kind, field, look) {
  const data = sizes.map((size) => {
    const entry = curve.find((candidate) => candidate.kind === kind && candidate.size === size);
    return entry?.[field]?.mean ?? null;
  });
  return {type: 'line', connectNulls: true, symbolSize: 6, data, ...look};
}

function scanTip(curve, size, ideal) {
  const list = curve
    .filter((entry) => entry.size === size)
    .flatMap((entry) => [
      [entry.kind === 'fixed' ? 'fixed blocks' : 'content-defined', formatShare(entry.residual.mean)],
      ['zeros', formatShare(entry.zeros.mean)],
    ]);
  if (ideal !== null) list.push(['copies in the payload', formatShare(ideal)]);
  return [tipTitle(formatBytes(size)), pairs(list)];
}

function scanOption(curve, ideal) {
  const sizes = unique(curve.map((entry) => entry.size)).sort((a, b) => a - b);
  const line = (kind, field, tint, more = {}) =>
    scanLine(curve, sizes, kind, field, {
      itemStyle: {color: color(tint)},
      lineStyle: {color: color(tint), width: 2, ...more.lineStyle},
      symbol: more.symbol ?? 'circle',
    });
  const fixed = line('fixed', 'residual', 'full');
  if (ideal !== null)
    fixed.markLine = {
      silent: true,
      symbol: 'none',
      animation: false,
      data: [{yAxis: ideal}],
      lineStyle: {color: color('ink'), type: 'solid', width: 1},
      label: {show: false},
    };
  const zeros = line('fixed', 'zeros', 'meta', {symbol: 'none', lineStyle: {width: 1.5, type: 'dotted'}});
  return {
    grid: {left: 46, right: 14, top: 8, bottom: 24},
    xAxis: {
      type: 'category',
      data: sizes.map(formatBytes),
      axisTick: {show: false},
      axisLine: {lineStyle: {color: color('line-strong')}},
      axisLabel: {color: color('soft'), fontSize: 10.5, hideOverlap: true},
    },
    yAxis: valueAxis({min: 0, max: 1, interval: 0.25, axisLabel: {formatter: formatShare}}),
    series: [
      fixed,
      line('cdc', 'residual', 'partial', {symbol: 'diamond', lineStyle: {type: 'dashed'}}),
      zeros,
    ],
    tooltip: tooltip((params) => scanTip(curve, sizes[params[0].dataIndex], ideal), {
      trigger: 'axis',
      axisPointer: {type: 'line', lineStyle: {color: color('line-strong')}},
    }),
  };
}

// The most that any of the chunkers could remove, in words.
function scanSentence(curve, ideal) {
  const best = curve.reduce((most, entry) => (entry.residual.mean > most.residual.mean ? entry : most));
  const of = ideal === null ? '' : `, ${formatShare(ideal)} of the payload are copies`;
  if (best.residual.mean === 0) return `no chunk is there twice${of}`;
  return `at most ${formatShare(best.residual.mean)} redundant, by ${best.name}${of}`;
}

function scanCard(name) {
  const point = scanPoint(name, view.payload, view.grade);
  const curve = scanCurve(point);
  if (curve.length === 0) return null;
  const ideal = idealShare(point);
  const sentence = scanSentence(curve, ideal);
  return h(
    'figure',
    {class: 'figure card'},
    h('figcaption', {}, nameNodes(name), h('small', {}, sentence)),
    chart({
      label: `Redundant share of the files of ${name} by block size: ${sentence}`,
      height: 190,
      option: () => scanOption(curve, ideal),
    }),
  );
}

function scanKey() {
  return h(
    'ul',
    {class: 'key'},
    h('li', {}, swatch('full'), 'fixed blocks'),
    h('li', {}, swatch('partial'), 'content-defined chunks (dashed)'),
    h('li', {}, swatch('meta'), 'blocks of nothing but zeros (dotted), counted in both'),
    h(
      'li',
      {},
      h('span', {class: 'swatch', style: 'height: 2px; background: var(--ink)'}),
      'copies in the payload, 1 − U/L',
    ),
  );
}

function scanNumbers() {
  const rows = names.flatMap((name) =>
    scanCurve(scanPoint(name, view.payload, view.grade)).map((entry) => [
      name,
      entry.name,
      formatShare(entry.residual.mean),
      entry.residual.n < 2 ? '' : [entry.residual.low, entry.residual.high].map(formatShare).join(' to '),
      formatShare(entry.zeros.mean),
      formatBytes(entry.bytes.mean),
      String(entry.residual.n),
    ]),
  );
  return numbers(
    [
      {title: 'System'},
      {title: 'Chunks'},
      {title: 'Redundant', number: true},
      {title: 'Lowest to highest', number: true},
      {title: 'Zeros', number: true},
      {title: 'Bytes read', number: true},
      {title: 'n', number: true},
    ],
    rows,
  );
}

// A count that is the same in all repetitions, or its range.
function rangeText(figure, format = formatCount) {
  if (!figure) return null;
  return figure.low === figure.high
    ? format(figure.low)
    : `${format(figure.low)} to ${format(figure.high)}`;
}

function censusWhere(found) {
  const parts = unique(found.flatMap((census) => (census.parts ?? []).map(([part]) => part)));
  return parts
    .map((part) => {
      const located = spread(
        found.map((census) => (census.parts ?? []).find(([name]) => name === part)?.[2] ?? 0),
      );
      if (located.mean === 0) return null;
      return h('div', {}, `${textAt(part)}: ${formatBytes(Math.round(located.mean))}`);
    })
    .filter((node) => node !== null);
}

function censusShare(found) {
  const expected = found.filter((census) => census.expected > 0);
  const share = spread(expected.map((census) => census.located / census.expected));
  return share ? rangeText(share, (value) => `${(100 * value).toFixed(2)} %`) : '';
}

// What compression leaves is a few bytes here and there, and no object whole.
function censusRemark(found) {
  const expected = found.filter((census) => census.expected > 0);
  if (expected.length === 0) return 'no copy is expected';
  const none = expected.every((census) => census.whole === 0 && census.located < census.expected / 2);
  return none ? 'not located: compressed, encrypted or gone' : null;
}

const censusWords = (text) => h('span', {class: 'missing'}, text);

function censusRow(name, grade) {
  const point = scanPoint(name, view.payload, grade);
  const scans = validRows(point).flatMap((row) => (row.scan ? [row.scan] : []));
  if (scans.length === 0) return null;
  const head = [h('span', {}, nameNodes(name)), view.payload, grade];
  const found = scans.flatMap((scan) => (scan.census ? [scan.census] : []));
  if (found.length === 0) {
    const why = scans.find((scan) => scan.missing !== undefined);
    const text = why ? `not scanned: ${textAt(why.missing)}` : 'no census was asked for';
    return [...head, '', '', '', '', censusWords(text), '', String(scans.length)];
  }
  const gone = spread(found.map((census) => census.gone?.[1]));
  const lost = spread(found.map((census) => census.uncountable));
  const remark = censusRemark(found);
  return [
    ...head,
    [
      rangeText(spread(found.map((census) => census.copies))),
      lost.high > 0 ? h('small', {}, `${rangeText(lost)} objects without bytes of their own`) : null,
    ],
    rangeText(spread(found.map((census) => census.whole))),
    rangeText(spread(found.map((census) => census.by_bytes)), (value) => value.toFixed(2)),
    censusShare(found),
    [censusWhere(found), remark ? censusWords(remark) : null],
    gone ? rangeText(gone) : '',
    String(found.length),
  ];
}

function censusTable() {
  const rows = names
    .flatMap((name) => grades.map((grade) => censusRow(name, grade)))
    .filter((row) => row !== null);
  if (rows.length === 0) return null;
  const columns = [
    {title: 'System'},
    {title: 'Payload'},
    {title: 'Grade'},
    {title: 'Copies expected', number: true},
    {title: 'Copies found', number: true},
    {title: 'By bytes', number: true},
    {title: 'Share located', number: true},
    {title: 'Located in', wrap: true},
    {title: 'Should be gone', number: true},
    {title: 'n', number: true},
  ];
  const gone = columns.findIndex((column) => column.title === 'Should be gone');
  const shown = columns.filter((_, i) => i !== gone || rows.some((cells) => cells[gone] !== ''));
  return [
    h('h3', {}, 'Where the copies are'),
    h(
      'p',
      {class: 'lead'},
      'Copies of the payload’s objects that lie in the files byte by byte, in whatever pages. Found: how ' +
        'often the least frequent part of each object is there. Should be gone: copies of deleted or ' +
        'replaced objects.',
    ),
    table(
      shown,
      rows.map((cells) => cells.filter((_, i) => shown.includes(columns[i]))),
      'Where the copies are',
    ),
  ];
}

function drawScans() {
  const stages = scannedStages();
  if (stages.length === 0) return;
  section(
    'scans',
    'What the files still hold twice',
    'The share of the files’ bytes that is there more than once, at each block size: what a layer below ' +
      'could still remove. A system that keeps each copy in aligned blocks reaches the line of the payload; ' +
      'pages and headers that shift the bytes keep it below.',
    [
      select('scanStage', 'Stage', stageOptions(stages)),
      payloadChoice(),
      gradeChoice(),
      select('scanPart', 'Files', plainOptions(scanParts())),
      conditionChoice(),
    ],
    ['scanStage', 'payload', 'grade', 'scanPart', 'condition'],
    () => {
      const cards = names.map(scanCard).filter((card) => card !== null);
      if (cards.length === 0) return [empty('No files were scanned for this choice.'), censusTable()];
      return [h('div', {class: 'cards'}, cards), scanKey(), scanNumbers(), censusTable()];
    },
  );
}
