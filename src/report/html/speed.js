// Speed: latency percentiles of acknowledged operations, and throughput with its spread.
// SPDX-License-Identifier: Apache-2.0

// Each percentile has a shape of its own; a percentile that the count cannot carry is not drawn.
const PERCENTILES = [
  {key: 'p50', symbol: 'circle', size: 10, solid: true},
  {key: 'p90', symbol: 'rect', size: 8, solid: true},
  {key: 'p95', symbol: 'triangle', size: 9, solid: true},
  {key: 'p99', symbol: 'diamond', size: 11, solid: true},
  {key: 'p99.9', symbol: 'diamond', size: 11, solid: false},
  {key: 'max', symbol: 'path://M0 0h3v14h-3z', size: [2.5, 13], solid: true},
];
const SPEED_ROW = 26;

const stagesWith = (has) =>
  stageKeys.filter((key) =>
    planPoints.some((point) => `${point.chain}|${point.stage}` === key && validRows(point).some(has)),
  );
const stageOptions = (keys) => keys.map((key) => ({value: key, label: stageLabel(key)}));

function latencyOf(point, key) {
  const values = validRows(point)
    .map((row) => row.latency?.[key])
    .filter((value) => value !== undefined);
  return values.length === 0
    ? null
    : {middle: median(values), low: Math.min(...values), high: Math.max(...values), n: values.length};
}

// "1.2 ms [1.1, 1.3]" by the bootstrap over runs; without its interval where the runs are too few.
function latencyText(point, key) {
  const found = point?.latencies?.[key];
  if (!found) return null;
  if (found.median === undefined) return h('span', {class: 'missing'}, textAt(found.missing));
  const delta = found.delta === undefined ? '' : `Cliff’s delta to U0 ${signed(found.delta.toFixed(2))}`;
  return [
    formatMicroseconds(found.median),
    found.low === undefined
      ? h('small', {}, textAt(found.missing))
      : h('small', {}, formatInterval(found.low, found.high, formatMicroseconds)),
    delta ? h('small', {}, delta) : null,
  ];
}

function latencyRows() {
  return names.map((name) => {
    const point = findPoint(name, view.payload, view.grade, view.latencyStage, view.condition);
    return {
      name,
      point,
      figures: Object.fromEntries(PERCENTILES.map(({key}) => [key, latencyOf(point, key)])),
    };
  });
}

function latencyTip(row) {
  const list = PERCENTILES.map(({key}) => {
    const figure = row.figures[key];
    if (!figure) return [key, 'too few operations'];
    return [
      key,
      figure.n > 1
        ? `${formatMicroseconds(figure.middle)} (${formatMicroseconds(figure.low)} to ` +
          `${formatMicroseconds(figure.high)})`
        : formatMicroseconds(figure.middle),
    ];
  });
  const counts = validRows(row.point).map((candidate) => candidate.latency_count ?? 0);
  return [
    tipTitle(row.name),
    pairs(list),
    h(
      'p',
      {},
      `Median of ${counts.length} repetitions (lowest to highest), ${formatCount(Math.max(0, ...counts))} ` +
        'operations each.',
    ),
  ];
}

function latencySeries(rows) {
  const ink = color('accent');
  const bands = {
    name: 'span',
    type: 'custom',
    silent: true,
    z: 1,
    encode: {x: [1, 2], y: 0},
    data: rows.flatMap((row, i) => {
      const known = PERCENTILES.map(({key}) => row.figures[key]).filter((figure) => figure);
      return known.length === 0
        ? []
        : [[i, Math.min(...known.map((f) => f.middle)), Math.max(...known.map((f) => f.middle))]];
    }),
    renderItem: (params, api) => {
      const [x1, y] = api.coord([api.value(1), api.value(0)]);
      const [x2] = api.coord([api.value(2), api.value(0)]);
      return {
        type: 'line',
        shape: {x1, y1: y, x2, y2: y},
        style: {stroke: faded('accent', 0.35), lineWidth: 2},
      };
    },
  };
  const marks = PERCENTILES.map(({key, symbol, size, solid}) => ({
    name: key,
    type: 'scatter',
    symbol,
    symbolSize: size,
    z: 3,
    itemStyle: {color: solid ? ink : color('raised'), borderColor: ink, borderWidth: solid ? 0 : 1.6},
    data: rows.flatMap((row, i) => (row.figures[key] ? [[row.figures[key].middle, i]] : [])),
  }));
  const absent = {
    name: 'absent',
    type: 'scatter',
    symbolSize: 0,
    silent: true,
    data: rows.flatMap((row, i) =>
      row.figures.p50 || row.figures.max ? [] : [{value: [latencyFloor(rows), i], label: absentLabel(row)}],
    ),
  };
  return [bands, ...marks, absent];
}

const latencyFloor = (rows) =>
  10 **
  Math.floor(
    Math.log10(
      Math.min(
        ...rows.flatMap((row) =>
          Object.values(row.figures)
            .filter((f) => f)
            .map((f) => f.middle),
        ),
      ),
    ),
  );

function absentLabel(row) {
  const text = validRows(row.point).length > 0 ? 'not measured' : `not measured: ${whyMissing(row.point)}`;
  return {
    show: true,
    position: 'right',
    distance: 2,
    formatter: clipped(text.replace(/[{}]/g, ''), 420),
    color: color('soft'),
    fontStyle: 'italic',
    fontSize: 11,
  };
}

function latencyOption(width, rows) {
  const room = labelRoom(names, width);
  return {
    grid: {left: room, right: 20, top: 34, bottom: 28},
    legend: {
      top: 0,
      left: 0,
      itemWidth: 12,
      itemGap: 14,
      data: PERCENTILES.map(({key, symbol}) => ({name: key, symbolKeepAspect: true, icon: symbol})),
      textStyle: {color: color('ink')},
    },
    xAxis: {
      ...valueAxis({axisLabel: {formatter: plainTick(formatMicroseconds)}}),
      type: 'log',
      min: latencyFloor(rows),
      minorSplitLine: {show: true, lineStyle: {color: color('line'), opacity: 0.45}},
    },
    yAxis: rowAxis(names, {
      axisLabel: {formatter: (name) => clipped(name, room)},
      splitLine: {show: true, lineStyle: {color: color('line'), opacity: 0.6}},
    }),
    tooltip: tooltip((params) => latencyTip(rows[params.value[1]])),
    series: latencySeries(rows),
  };
}

function latencyBody() {
  const rows = latencyRows();
  if (!rows.some((row) => Object.values(row.figures).some((figure) => figure)))
    return empty('No latency for this choice.');
  const cells = rows.map((row) => [
    row.name,
    ...PERCENTILES.map(
      ({key}) =>
        latencyText(row.point, key) ??
        (key === 'max' && row.figures[key] ? formatMicroseconds(row.figures[key].middle) : null),
    ),
  ]);
  return [
    h(
      'div',
      {class: 'card'},
      chart({
        label:
          `Latency percentiles of ${stageLabel(view.latencyStage)} by system, ${view.payload}, ` +
          `${view.grade}`,
        height: names.length * SPEED_ROW + 66,
        option: (width) => latencyOption(width, rows),
      }),
    ),
    numbers([{title: 'System'}, ...PERCENTILES.map(({key}) => ({title: key, number: true}))], cells),
  ];
}

// Throughput.
function rateRows() {
  return names.map((name) => {
    const point = findPoint(name, view.payload, view.grade, view.rateStage, view.condition);
    const rows = validRows(point).filter((row) => row.seconds > 0);
    return {
      name,
      point,
      objects: spread(rows.map((row) => (row.objects > 0 ? row.objects / row.seconds : null))),
      bytes: spread(rows.map((row) => (row.acked > 0 ? row.acked / 1e6 / row.seconds : null))),
      bound: rows.filter((row) => row.bottleneck).length,
      n: rows.length,
    };
  });
}

function rateTip(row) {
  const text = (figure, unit) =>
    figure
      ? `${formatSignificant(figure.mean)} ${unit} (${formatSignificant(figure.low)} to ` +
        `${formatSignificant(figure.high)})`
      : 'not measured';
  return [
    tipTitle(row.name),
    pairs([
      ['objects', text(row.objects, '/s')],
      ['bytes', text(row.bytes, 'MB/s')],
    ]),
    row.bound > 0
      ? h(
          'p',
          {},
          `The client was the bottleneck in ${row.bound} of ${row.n} repetitions: the system may be faster.`,
        )
      : null,
  ].filter((node) => node !== null);
}

function whisker(rows, key, index) {
  return {
    type: 'custom',
    xAxisIndex: index,
    yAxisIndex: index,
    silent: true,
    z: 4,
    encode: {x: [1, 2], y: 0},
    data: rows.flatMap((row, i) => (row[key] && row[key].n > 1 ? [[i, row[key].low, row[key].high]] : [])),
    renderItem: (params, api) => {
      const [x1, y] = api.coord([api.value(1), api.value(0)]);
      const [x2] = api.coord([api.value(2), api.value(0)]);
      const line = (ax, ay, bx, by) => ({
        type: 'line',
        shape: {x1: ax, y1: ay, x2: bx, y2: by},
        style: {stroke: color('ink'), lineWidth: 1.4},
      });
      return {
        type: 'group',
        children: [line(x1, y, x2, y), line(x1, y - 4, x1, y + 4), line(x2, y - 4, x2, y + 4)],
      };
    },
  };
}

function ratePanel(rows, key, title, index, width) {
  const stacked = width < 720;
  const room = labelRoom(names, width);
  const height = names.length * SPEED_ROW;
  const share = stacked ? width - room : (width - room) / 2;
  const left = stacked || index === 0 ? room : room + share + 12;
  const top = 30 + (stacked ? index * (height + 66) : 0);
  const bar = {
    name: title,
    type: 'bar',
    xAxisIndex: index,
    yAxisIndex: index,
    barWidth: 11,
    itemStyle: {color: color('plain'), borderRadius: [0, 2, 2, 0]},
    data: rows.map((row) => ({
      value: row[key]?.mean ?? null,
      label:
        row.bound > 0 && row[key]
          ? {
              show: true,
              position: 'insideLeft',
              formatter: '◂ client-bound',
              color: color('ink'),
              fontSize: 10,
            }
          : {show: false},
    })),
  };
  const absent = {
    type: 'scatter',
    xAxisIndex: index,
    yAxisIndex: index,
    symbolSize: 0,
    silent: true,
    data: rows.flatMap((row, i) =>
      row[key] ? [] : [{value: [0, i], label: {...absentLabel(row), formatter: 'not measured'}}],
    ),
  };
  return {
    title: {
      text: title,
      left,
      top: top - 28,
      textStyle: {fontSize: 12.5, color: color('ink'), fontWeight: 600},
    },
    grid: {left, top, width: share - 30, height},
    xAxis: valueAxis({
      gridIndex: index,
      min: 0,
      splitNumber: 4,
      axisLabel: {formatter: plainTick(formatSignificant)},
    }),
    yAxis: rowAxis(names, {
      gridIndex: index,
      axisLabel: {show: stacked || index === 0, formatter: (name) => clipped(name, room)},
    }),
    series: [bar, whisker(rows, key, index), absent],
  };
}

function rateOption(width, rows) {
  const panels = [
    ratePanel(rows, 'objects', 'objects / s', 0, width),
    ratePanel(rows, 'bytes', 'MB / s', 1, width),
  ];
  const parts = (key) => panels.map((panel) => panel[key]);
  return {
    title: parts('title'),
    grid: parts('grid'),
    xAxis: parts('xAxis'),
    yAxis: parts('yAxis'),
    series: parts('series').flat(),
    tooltip: tooltip((params) => rateTip(rows[params.dataIndex])),
  };
}

function rateBody() {
  const rows = rateRows();
  if (!rows.some((row) => row.objects || row.bytes)) return empty('No throughput for this choice.');
  const text = (figure) =>
    figure
      ? `${formatSignificant(figure.mean)} (${formatSignificant(figure.low)} to ` +
        `${formatSignificant(figure.high)})`
      : null;
  const height = (width) => (names.length * SPEED_ROW + 66) * (width < 720 ? 2 : 1);
  return [
    h(
      'div',
      {class: 'card'},
      chart({
        label: `Throughput of ${stageLabel(view.rateStage)} by system, ${view.payload}, ${view.grade}`,
        height,
        option: (width) => rateOption(width, rows),
      }),
    ),
    numbers(
      [
        {title: 'System'},
        {title: 'objects/s', number: true},
        {title: 'MB/s', number: true},
        {title: 'Client-bound', number: true},
      ],
      rows.map((row) => [row.name, text(row.objects), text(row.bytes), `${row.bound} of ${row.n}`]),
    ),
  ];
}

function drawSpeed() {
  const withLatency = stagesWith((row) => row.latency);
  const latencyControls =
    withLatency.length === 0
      ? []
      : [
          select('latencyStage', 'Stage', stageOptions(withLatency)),
          payloadChoice(),
          gradeChoice(),
          conditionChoice(),
        ];
  section(
    'latency',
    'Latency',
    'Time from sending one operation to its acknowledgement. Log scale; medians over the repetitions.',
    latencyControls,
    ['latencyStage', 'payload', 'grade', 'condition'],
    () =>
      withLatency.length === 0
        ? empty('No stage of this run measured single operations (perfile_insert, perfile_delete).')
        : latencyBody(),
  );
  const withRate = stagesWith((row) => row.seconds > 0 && row.objects > 0);
  const rateControls =
    withRate.length === 0
      ? []
      : [
          select('rateStage', 'Stage', stageOptions(withRate)),
          payloadChoice(),
          gradeChoice(),
          conditionChoice(),
        ];
  section(
    'throughput',
    'Throughput',
    'Bars are means, whiskers the lowest and highest repetition. “Client-bound” marks stages that ' +
      'waited for this program more than 5 % of the time.',
    rateControls,
    ['rateStage', 'payload', 'grade', 'condition'],
    () => (withRate.length === 0 ? empty('No valid stage has a rate.') : rateBody()),
  );
}
