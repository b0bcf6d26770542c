// Puts the live chart in the place of each chart's picture once it comes near the window. Where plotly.js is missing or fails, the
// picture stays.
addEventListener('DOMContentLoaded', () => {
  if (!window.Plotly) return;

  // On a dark page, inks and series take the lighter colours below. Colour maps stay: prose may speak of their bright cells.
  const onDark = {
    '#222222': '#dcdfe4', '#5F6368': '#a3aab8', '#9AA0A6': '#69707d', '#E7E8EA': '#31353d', '#E0E0E0': '#3d424b', '#FFFFFF': '#1d2025',
    '#0072B2': '#4a9fdf', '#D55E00': '#f0803c', '#009E73': '#2dbe92', '#CC79A7': '#de93bb', '#E69F00': '#f2b33d', '#56B4E9': '#9ad4f7', '#5A5A5A': '#a3a3a3',
  };
  const hex = (r, g, b) => '#' + [r, g, b].map(part => (+part).toString(16).padStart(2, '0')).join('').toUpperCase();
  const parts = color => [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16)).join(',');
  const darkened = json => json
    .replace(/#[0-9A-F]{6}\b/gi, color => onDark[color.toUpperCase()] ?? color)
    .replace(/rgba\((\d+), ?(\d+), ?(\d+),/g, (text, r, g, b) => hex(r, g, b) in onDark ? `rgba(${parts(onDark[hex(r, g, b)])},` : text);

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';

  const draw = figure => {
    const json = figure.querySelector('script').textContent;
    const { data, layout = {}, config, frames } = JSON.parse(isDark() ? darkened(json) : json);
    const still = figure.querySelector('.still');
    let live = figure.querySelector('.live');
    if (!live) {
      live = document.createElement('div');
      live.className = 'live';
      live.setAttribute('role', 'img');
      live.setAttribute('aria-label', still.querySelector('img')?.alt ?? still.textContent);
      live.style.height = `${layout.height || 450}px`;
      figure.append(live);
    }
    const drawn = {
      data,
      frames,
      layout: { ...layout, width: undefined, autosize: true },
      // On a phone the tool bar would cover the title, and fingers zoom without it.
      config: { displaylogo: false, displayModeBar: innerWidth < 600 ? false : 'hover', modeBarButtonsToRemove: ['select2d', 'lasso2d'], ...config, responsive: true },
    };
    Plotly.react(live, drawn)
      .then(() => { still.hidden = true; figure.classList.add('drawn'); }, error => { live.remove(); console.error(error); });
  };

  const near = new IntersectionObserver(entries => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(target);
    }
  }, { rootMargin: '600px' });
  for (const figure of document.querySelectorAll('figure.chart')) near.observe(figure);

  const redraw = () => document.querySelectorAll('figure.chart:has(.live)').forEach(draw);
  dark.addEventListener('change', redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] });
});
