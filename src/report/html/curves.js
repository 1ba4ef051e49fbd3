// Size over time: every repetition of a chain as a thin line, their mean as a bold one, stages marked.
// SPDX-License-Identifier: Apache-2.0

const MEAN_STEPS = 60;

const curvePoints = (curve) => page.points[curve.point];
const curveList = page.curves.list.filter((curve) => !curvePoints(curve).control);
const curveMetrics = ['files', 'apparent', 'engine'].filter((metric) =>
  curveList.some((curve) => curve.lines?.[metric]),
);
const curveChains = unique(curveList.map((curve) => curvePoints(curve).chain));
const hasProgress = curveList.some((curve) => curve.lines?.acked_bytes);

// Differences back to values: [[milliseconds, bytes], ...]. Decoded once, when first shown.
function lineOf(curve, metric) {
  curve.decoded ??= {};
  if (curve.decoded[metric] || !curve.lines?.[metric]) return curve.decoded[metric] ?? null;
  const [times, values] = curve.lines[metric];
  let [time, value] = [0, 0];
  const line = times.map((step, i) => {
    time += step;
    value += values[i];
    return [time, value];
  });
  curve.decoded[metric] = metric === 'acked_bytes' ? addedUp(line) : line;
  return curve.decoded[metric];
}

// Each stage counts its bytes from zero; over a chain they add up.
function addedUp(line) {
  let [before, last] = [0, 0];
  return line.map(([time, value]) => {
    if (value < last) before += last;
    last = value;
    return [time, before + value];
  });
}

// The line's value at `x`, between its neighbours; held constant beyond its ends.
function valueAt(line, x) {
  let low = 0;
  let high = line.length - 1;
  if (x <= line[0][0]) return line[0][1];
  if (x >= line[high][0]) return line[high][1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (line[middle][0] <= x) low = middle;
    else high = middle;
  }
  const [[x0, y0], [x1, y1]] = [line[low], line[high]];
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

function chosenCurves(grade) {
  return curveList.filter((curve) => {
    const point = curvePoints(curve);
    return (
      nameOf(point) === view.curveSystem &&
      point.payload === view.payload &&
      point.grade === grade &&
      point.chain === view.curveChain &&
      inCondition(point, view.condition) &&
      curve.lines?.[view.curveMetric]
    );
  });
}

// Begin and end of every stage in the unit of the x axis.
function boundaries(curve) {
  const edges = curve.stages.flatMap(([, begin, end]) => [begin, end]);
  return view.curveX === 'bytes' ? edges.map((time) => valueAt(lineOf(curve, 'acked_bytes'), time)) : edges;
}

function drawnLine(curve) {
  const line = lineOf(curve, view.curveMetric);
  if (view.curveX !== 'bytes') return line;
  const progress = lineOf(curve, 'acked_bytes');
  return line.map(([time, value]) => [valueAt(progress, time), value]);
}

// The mean stage by stage: repetitions are compared at equal shares of each stage, not at equal seconds, so
// a slow repetition does not blur the others.
function meanLine(curves) {
  const lines = curves.map(drawnLine);
  const edges = curves.map(boundaries);
  const points = [];
  for (let edge = 0; edge + 1 < edges[0].length; edge += 1)
    for (let step = 0; step <= MEAN_STEPS; step += 1) {
      const at = edges.map((own) => own[edge] + ((own[edge + 1] - own[edge]) * step) / MEAN_STEPS);
      points.push([mean(at), mean(lines.map((line, i) => valueAt(line, at[i])))]);
    }
  return points;
}

function meanEdges(curves) {
  const edges = curves.map(boundaries);
  return edges[0].map((_, i) => mean(edges.map((own) => own[i])));
}

const sameStages = (curves) => curves.filter((curve) => curve.stages.length === curves[0].stages.length);

function stageMarks(curves, grade, named) {
  const edges = meanEdges(curves);
  const marks = curves[0].stages.map(([stage], i) => ({
    xAxis: edges[2 * i],
    label: {
      show: named,
      formatter: stage,
      position: 'end',
      rotate: 0,
      align: 'left',
      offset: [3, 4 + 13 * (i % 2)],
      color: color('soft'),
      fontSize: 11,
    },
  }));
  return {
    silent: true,
    symbol: 'none',
    data: marks,
    lineStyle: {color: gradeColor(grade), type: [3, 4], width: 1, opacity: 0.7},
  };
}

function curveSeries() {
  const shown = shownGrades();
  return shown.flatMap((grade, index) => {
    const curves = sameStages(chosenCurves(grade));
    const thin = curves.map((curve) => ({
      name: grade,
      type: 'line',
      symbol: 'none',
      silent: true,
      data: drawnLine(curve),
      z: 2,
      lineStyle: {color: gradeColor(grade), width: 1, opacity: 0.4},
      itemStyle: {color: gradeColor(grade)},
    }));
    return [
      ...thin,
      {
        name: grade,
        type: 'line',
        symbol: 'none',
        data: meanLine(curves),
        z: 3,
        lineStyle: {
          color: gradeColor(grade),
          width: 2.6,
          type: ['solid', [9, 3], [4, 3], [2, 2], 'solid'][index % 5],
        },
        itemStyle: {color: gradeColor(grade)},
        markLine: stageMarks(curves, grade, index === shown.length - 1),
      },
    ];
  });
}

function shownGrades() {
  const all = grades.filter((grade) => chosenCurves(grade).length > 0);
  return view.curveGrade === 'all' ? all : all.filter((grade) => grade === view.curveGrade);
}

const formatX = (value) => (view.curveX === 'bytes' ? formatBytes(value) : formatSeconds(value / 1000));

// What every mean says at the place of the pointer.
function curveTip(params) {
  const x = params[0].axisValue;
  const list = shownGrades().map((grade) => [
    grade,
    formatBytes(valueAt(meanLine(sameStages(chosenCurves(grade))), x)),
  ]);
  return [tipTitle(formatX(x)), pairs(list)];
}

// Steps that are powers of two, so that the axis says 16 MiB and not 15.3.
function byteSteps(series) {
  const most = Math.max(1, ...series.flatMap((line) => line.data.map((point) => point[1])));
  const interval = 2 ** Math.ceil(Math.log2(most / 6));
  return {interval, max: Math.ceil((most * 1.02) / interval) * interval};
}

function zoomSlider() {
  const shape = (name, area) => ({
    lineStyle: {color: color(name), opacity: 0.6},
    areaStyle: {color: color(name), opacity: area},
  });
  return {
    type: 'slider',
    height: 16,
    bottom: 6,
    showDetail: false,
    moveHandleSize: 0,
    backgroundColor: 'transparent',
    borderColor: color('line'),
    fillerColor: faded('accent', 0.12),
    handleStyle: {color: color('raised'), borderColor: color('accent')},
    dataBackground: shape('line-strong', 0.1),
    selectedDataBackground: shape('accent', 0.12),
  };
}

function curveOption(width) {
  const series = curveSeries();
  return {
    grid: {left: 66, right: 20, top: 44, bottom: onPaper ? 44 : 74},
    legend: {
      top: 0,
      left: 0,
      itemWidth: 22,
      itemHeight: 3,
      icon: 'roundRect',
      textStyle: {color: color('ink')},
      inactiveColor: color('line-strong'),
      data: shownGrades(),
    },
    xAxis: valueAxis({
      name: view.curveX === 'bytes' ? 'bytes acknowledged' : 'time from the begin of the chain',
      nameLocation: 'middle',
      nameGap: 26,
      splitNumber: width < 500 ? 3 : 8,
      splitLine: {show: false},
      axisLabel: {formatter: plainTick(formatX)},
    }),
    yAxis: valueAxis({axisLabel: {formatter: formatBytes}, min: 0, ...byteSteps(series)}),
    dataZoom: onPaper ? [] : [{type: 'inside', zoomOnMouseWheel: 'ctrl'}, zoomSlider()],
    tooltip: tooltip(curveTip, {trigger: 'axis', axisPointer: {lineStyle: {color: color('line-strong')}}}),
    series,
  };
}

function curveNumbers() {
  const rows = shownGrades().flatMap((grade) =>
    chosenCurves(grade).flatMap((curve) => {
      const line = lineOf(curve, view.curveMetric);
      return curve.stages.map(([stage, begin, end]) => [
        grade,
        String(curve.repetition),
        stage,
        formatSeconds((end - begin) / 1000),
        formatBytes(valueAt(line, begin)),
        formatBytes(valueAt(line, end)),
      ]);
    }),
  );
  return numbers(
    [
      {title: 'Grade'},
      {title: 'Repetition', number: true},
      {title: 'Stage'},
      {title: 'Length', number: true},
      {title: 'Size before', number: true},
      {title: 'Size after', number: true},
    ],
    rows,
  );
}

function curveNotes() {
  const notes = [
    'Thin: each valid repetition. Bold: their mean, taken at equal shares of each stage. A stage ends ' +
      'with its settled reading.',
  ];
  if (page.curves.thinned > 0)
    notes.push(
      `${formatCount(page.curves.thinned)} lines of this page were thinned to ${page.curves.limit} ` +
        'points that keep their shape; samples.csv holds every sample.',
    );
  if (page.curves.unread > 0)
    notes.push(
      `Samples of ${formatCount(page.curves.unread)} stages could not be read: ${page.curves.unread_reason}`,
    );
  return h('p', {class: 'note'}, notes.join(' '));
}

function drawCurves() {
  const systems = names.filter((name) => curveList.some((curve) => nameOf(curvePoints(curve)) === name));
  const longest = [...curveChains].sort((a, b) => b.split('>').length - a.split('>').length);
  const controls =
    curveList.length === 0
      ? []
      : [
          select('curveSystem', 'System', plainOptions(systems)),
          payloadChoice(),
          select(
            'curveChain',
            'Chain',
            longest.map((chain) => ({value: chain, label: chain.replaceAll('>', ' › ')})),
          ),
          segments('curveGrade', 'Grade', [
            {value: 'all', label: 'all'},
            ...(grades.length > 1 ? plainOptions(grades) : []),
          ]),
          segments('curveMetric', 'Size', plainOptions(curveMetrics)),
          hasProgress
            ? segments('curveX', 'Over', [
                {value: 'time', label: 'time'},
                {value: 'bytes', label: 'bytes'},
              ])
            : null,
          conditionChoice(),
        ];
  section(
    'curves',
    'Size over time',
    'What the system held while it worked, sampled during every stage.',
    controls,
    ['curveSystem', 'payload', 'curveChain', 'curveGrade', 'curveMetric', 'curveX', 'condition'],
    () => {
      if (curveList.length === 0)
        return [
          empty(
            'No size was sampled during a valid stage: the stages were shorter than the sampling ' +
              'interval, or no probe could be read beside them.',
          ),
          page.curves.unread > 0 ? curveNotes() : null,
        ];
      if (shownGrades().length === 0) return empty(`No samples of ${view.curveMetric} for this choice.`);
      const over = view.curveX === 'bytes' ? 'acknowledged bytes' : 'time';
      const label = `${view.curveMetric} bytes of ${view.curveSystem} over ${over}, ${view.payload}`;
      return [
        h('div', {class: 'card'}, chart({label, height: 420, option: curveOption})),
        curveNotes(),
        curveNumbers(),
      ];
    },
  );
}
