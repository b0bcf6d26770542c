// What a page of the gallery does beyond showing itself. Everything here is an addition: without it the pages are read as they stand.
(() => {
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');

  // The reader's choice of theme, before anything is drawn. Where nothing can be kept, it holds for this page.
  try {
    const chosen = localStorage.getItem('paperlab-theme');
    if (chosen === 'light' || chosen === 'dark') root.dataset.theme = chosen;
  } catch { /* no storage */ }

  const themeSwitch = () => {
    const button = document.querySelector('button.theme');
    const isDark = () => (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
    const show = () => button.setAttribute('aria-pressed', isDark());
    button.addEventListener('click', () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      try { localStorage.setItem('paperlab-theme', root.dataset.theme); } catch { /* no storage */ }
      show();
    });
    dark.addEventListener('change', show);
    show();
    button.hidden = false;
  };

  const copyButtons = () => {
    for (const text of document.querySelectorAll('.copied')) {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'copy';
      button.textContent = 'Copy';
      button.setAttribute('aria-label', `Copy: ${text.getAttribute('aria-label')}`);
      const said = document.createElement('span');
      said.className = 'said';
      said.setAttribute('role', 'status');
      button.addEventListener('click', async () => {
        try {
          await navigator.clipboard.writeText(text.textContent);
          said.textContent = 'Copied';
        } catch {
          getSelection().selectAllChildren(text);
          said.textContent = 'Selected: copy it with the keyboard';
        }
        setTimeout(() => { said.textContent = ''; }, 4000);
      });
      text.after(button, said);
    }
  };

  // What scrolls sideways must be reached by the keyboard, and say what it is.
  const scrollers = () => {
    const frames = [...document.querySelectorAll('.markup, .markup div, .prose > table, .output pre, .listing, figure.chart, math[display=block]')];
    const mark = () => {
      for (const frame of frames.filter(frame => frame.scrollWidth > frame.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(frame).overflowX))) {
        frame.tabIndex = 0;
        if (!frame.matches('div, figure')) continue;
        frame.setAttribute('role', 'group');
        frame.setAttribute('aria-label', (frame.querySelector('b, caption')?.textContent || frame.querySelector('img')?.alt || 'Output') + ', scrolls sideways');
      }
    };
    mark();
    addEventListener('resize', mark);
    document.addEventListener('toggle', mark, true);
  };

  // All code of a page at once.
  const codeSwitch = () => {
    const folds = [...document.querySelectorAll('.input > details')];
    if (folds.length === 0) return;
    const button = document.createElement('button');
    button.type = 'button';
    const show = open => { button.textContent = open ? 'Hide all code' : 'Show all code'; };
    button.addEventListener('click', () => {
      const open = !folds.every(fold => fold.open);
      for (const fold of folds) fold.open = open;
      show(open);
    });
    show(false);
    document.querySelector('.actions').append(button);
  };

  const filters = () => {
    const form = document.querySelector('form.filters');
    if (!form) return;
    const rows = [...document.querySelectorAll('table.claims tbody tr')].map(row => ({ row, text: row.textContent.toLowerCase() }));
    const { paper, verdict, words } = form.elements;
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(word => word);
      let shown = 0;
      for (const { row, text } of rows) {
        const fits = (!paper.value || row.dataset.paper === paper.value) && (!verdict.value || row.dataset.verdict === verdict.value) && wanted.every(word => text.includes(word));
        row.hidden = !fits;
        shown += fits;
      }
      form.querySelector('output').textContent = shown ? `${shown} of ${rows.length} claims` : 'No claim fits';
    };
    // The address holds the choice, so that it can be linked to.
    const keep = () => {
      const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
      try { history.replaceState(null, '', query ? `?${query}` : location.pathname); } catch { /* a file */ }
    };
    for (const [name, value] of new URLSearchParams(location.search)) if (form.elements[name]) form.elements[name].value = value;
    form.addEventListener('input', () => { apply(); keep(); });
    form.addEventListener('reset', () => setTimeout(() => { apply(); keep(); }));
    form.addEventListener('submit', event => event.preventDefault());
    apply();
    form.hidden = false;
  };

  addEventListener('DOMContentLoaded', () => { themeSwitch(); copyButtons(); codeSwitch(); scrollers(); filters(); });
})();
