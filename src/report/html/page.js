// Starts the page: sections in their order, navigation, theme, paper.
// SPDX-License-Identifier: Apache-2.0

const darkScreen = window.matchMedia('(prefers-color-scheme: dark)');

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : darkScreen.matches;
}

function themeButton() {
  const button = h('button', {
    type: 'button',
    class: 'button',
    title: 'Colours of the page',
    onclick: () => {
      document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
      follow();
    },
  });
  const follow = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    themeChanged();
  };
  darkScreen.addEventListener('change', follow);
  follow();
  return button;
}

function navigation() {
  const nav = document.getElementById('nav');
  const link = (id, title) => h('a', {href: `#${id}`}, title);
  const sections = [...document.querySelectorAll('main > section')];
  nav.append(
    link('head', 'Answer'),
    ...sections.map((part) => link(part.id, part.querySelector('h2').textContent)),
    themeButton(),
  );
  const watched = [document.getElementById('head'), ...sections];
  const mark = () => {
    const current =
      watched.filter((part) => part.getBoundingClientRect().top < window.innerHeight * 0.35).at(-1) ??
      watched[0];
    for (const anchor of nav.querySelectorAll('a')) {
      const here = anchor.hash === `#${current.id}`;
      if (here === anchor.hasAttribute('aria-current')) continue;
      if (here) {
        anchor.setAttribute('aria-current', 'true');
        nav.scrollTo({left: anchor.offsetLeft - 16});
      } else {
        anchor.removeAttribute('aria-current');
      }
    }
  };
  window.addEventListener('scroll', mark, {passive: true});
  mark();
}

let afterPaper = null;
window.addEventListener('beforeprint', () => {
  afterPaper = drawForPaper();
});
window.addEventListener('afterprint', () => {
  afterPaper?.();
  afterPaper = null;
});

drawHead();
drawMatrix();
drawForest();
drawLadder();
drawScans();
drawCosts();
drawCurves();
drawSpeed();
drawTimes();
drawLifecycle();
drawRecords();
drawControls();
drawServers();
drawEnvironment();
drawPlan();
drawReading();
navigation();
document.documentElement.dataset.ready = 'yes';
