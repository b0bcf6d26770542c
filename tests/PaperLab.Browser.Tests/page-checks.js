// What is asked of a page as it is drawn. Each check returns the faults that it found, in words; an empty list is a pass.
// They run inside the page, which Playwright holds at one width and in one theme.
(() => {
  const visible = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const name = element => `<${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ''}${element.className?.baseVal ?? element.className ? ` class="${element.className.baseVal ?? element.className}"` : ''}>`;
  const nameOf = element => (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? '').trim() || element.querySelector('img')?.alt || '';

  // ---- Contrast (WCAG 2.2, 1.4.3): 4.5 to 1, or 3 to 1 for large text ----

  const color = text => {
    const parts = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const [r, g, b] = text.startsWith('color(srgb') ? parts.slice(0, 3).map(part => part * 255) : parts;
    return { r, g, b, a: parts[3] ?? 1 };
  };
  const over = (top, below) => {
    const mix = part => top[part] * top.a + below[part] * (1 - top.a);
    return { r: mix('r'), g: mix('g'), b: mix('b'), a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [red, green, blue] = [r, g, b].map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ancestors = element => element ? [element, ...ancestors(element.parentElement)] : [];
  const canvas = () => document.documentElement.dataset.theme === 'dark' || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches)
    ? { r: 18, g: 18, b: 18, a: 1 } : { r: 255, g: 255, b: 255, a: 1 };
  const behind = element => ancestors(element).reverse().map(part => color(getComputedStyle(part).backgroundColor)).filter(part => part.a > 0)
    .reduce((below, top) => over(top, below), canvas());
  // Text of a chart stands on the chart's paper, which is the style of its first layer; words over data have a veil of their own.
  const behindChart = (text, chart) => {
    const paper = over(color(getComputedStyle(chart.querySelector('.main-svg')).backgroundColor), behind(chart));
    const veil = text.closest('.annotation-text-g')?.querySelector('rect.bg');
    return veil ? over({ ...color(getComputedStyle(veil).fill), a: color(getComputedStyle(veil).fill).a * getComputedStyle(veil).fillOpacity }, paper) : paper;
  };

  const contrast = () => {
    const faults = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = texts.nextNode());) {
      const element = node.parentElement;
      if (!node.data.trim() || !visible(element) || /^(script|style|noscript|option)$/i.test(element.tagName) || getComputedStyle(element).clipPath !== 'none' || element.closest('caption, .modebar')) continue;
      const chart = element.closest('.js-plotly-plot');
      if (chart && (!element.closest('svg') || element.closest('.heatmap-label, .hoverlayer'))) continue;
      const style = getComputedStyle(element);
      const paper = chart ? behindChart(element, chart) : behind(element);
      const opacity = ancestors(element).reduce((product, part) => product * getComputedStyle(part).opacity, 1);
      const ink = color(chart ? style.fill : style.color);
      const found = ratio(over({ ...ink, a: ink.a * opacity * (chart ? style.fillOpacity : 1) }, paper), paper);
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      if (found < (large ? 3 : 4.5)) faults.add(`${found.toFixed(2)} to 1: "${node.data.trim().slice(0, 40)}" in ${name(element)}`);
    }
    return [...faults];
  };

  // ---- Structure ----

  const structure = () => {
    const faults = [];
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const require = (holds, fault) => { if (!holds) faults.push(fault); };
    require(document.documentElement.lang, 'the page names no language');
    require(document.title, 'the page has no title');
    for (const landmark of ['main', 'header.site', 'footer.site']) require(all(landmark).length === 1, `${all(landmark).length} landmarks ${landmark}`);
    require(all('nav').every(nav => nav.getAttribute('aria-label')), 'a navigation has no name');
    require(all('h1').length === 1, `${all('h1').length} headings of the first level`);
    const levels = all('h1, h2, h3, h4, h5, h6').filter(visible);
    levels.forEach((heading, at) => require(at === 0 || +heading.tagName[1] <= +levels[at - 1].tagName[1] + 1, `${name(heading)} follows ${at && name(levels[at - 1])}: a level is left out`));
    for (const picture of all('img')) require(picture.hasAttribute('alt'), `${picture.src} has no words`);
    for (const picture of all('img').filter(visible)) require(!picture.complete || picture.naturalWidth > 0, `${picture.src} does not show`);
    const loose = all('th').filter(header => header.textContent.trim() && !header.scope && !header.closest('.prose'));
    require(loose.length === 0, `${loose.length} headers do not say what they head: ${loose.slice(0, 5).map(header => header.textContent).join(', ')}`);
    for (const control of all('button, a[href], select, input, summary').filter(visible)) require(nameOf(control), `${name(control)} has no name`);
    const ids = all('[id]').filter(element => !element.closest('svg')).map(element => element.id);
    for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) faults.push(`two elements have the id ${id}`);
    for (const link of all('a[href^="#"]')) require(link.hash === '' || document.getElementById(decodeURIComponent(link.hash.slice(1))), `${link.hash} is nowhere on the page`);
    for (const frame of all('main *').filter(element => visible(element) && element.scrollWidth > element.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(element).overflowX)))
      require(frame.tabIndex >= 0, `${name(frame)} scrolls sideways and the keyboard cannot reach it`);
    return faults;
  };

  // What reaches past the window makes the page scroll sideways (1.4.10).
  const width = () => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const wide = [...document.querySelectorAll('body *')].filter(element => visible(element) && element.getBoundingClientRect().right > room + 1
      && !ancestors(element.parentElement).some(part => part !== document.body && part !== document.documentElement && getComputedStyle(part).overflowX !== 'visible'));
    return [`the page is ${document.documentElement.scrollWidth} wide in a window of ${room}: ${wide.slice(0, 4).map(name).join(', ')}`];
  };

  const undrawn = () => [...document.querySelectorAll('figure.chart')].filter(figure => !figure.matches('.drawn') || !figure.querySelector('.main-svg') || visible(figure.querySelector('.still')))
    .map(figure => `"${figure.querySelector('img')?.alt}" is not drawn`);

  window.paperlabChecks = { contrast, structure, width, undrawn };
})();
