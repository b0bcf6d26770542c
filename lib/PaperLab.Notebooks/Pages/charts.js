// Puts the live chart in the place of each chart's picture. Where plotly.js is missing or fails, the picture stays.
addEventListener('DOMContentLoaded', () => {
  if (!window.Plotly) return;
  for (const figure of document.querySelectorAll('figure.chart')) {
    const { data, layout = {}, config, frames } = JSON.parse(figure.querySelector('script').textContent);
    const still = figure.querySelector('.still');
    const live = document.createElement('div');
    live.className = 'live';
    live.setAttribute('role', 'img');
    live.setAttribute('aria-label', still.querySelector('img')?.alt ?? still.textContent);
    live.style.height = `${layout.height || 450}px`;
    figure.append(live);
    const drawn = {
      data,
      frames,
      layout: { ...layout, width: undefined, autosize: true },
      // On a phone the tool bar would cover the title, and fingers zoom without it.
      config: { displaylogo: false, displayModeBar: innerWidth < 600 ? false : 'hover', modeBarButtonsToRemove: ['select2d', 'lasso2d'], ...config, responsive: true },
    };
    Plotly.newPlot(live, drawn)
      .then(() => { still.hidden = true; }, error => { live.remove(); console.error(error); });
  }
});
