// Small comforts on every page. Nothing here is needed: each form and link works without it.

const menus = [...document.querySelectorAll('.head-menu')];

/** One menu at a time; it closes by Escape or by a click elsewhere. */
function closeMenus(except) {
  for (const menu of menus) if (menu !== except) menu.open = false;
}

for (const menu of menus) {
  menu.addEventListener('toggle', () => {
    if (!menu.open) return;
    closeMenus(menu);
    menu.querySelector('input')?.focus();
  });
}

document.addEventListener('click', (event) => closeMenus(event.target.closest('.head-menu')));

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  const open = menus.find((menu) => menu.open);
  if (!open) return;
  open.open = false;
  open.querySelector('summary').focus();
});

// A second click while the first is on its way does nothing: the server would settle it, but why ask twice.
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = 'yes';
  event.submitter?.setAttribute('aria-busy', 'true');
});

// Coming back by the back button finds the forms ready again.
addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
  for (const button of document.querySelectorAll('[aria-busy=true]')) button.removeAttribute('aria-busy');
});

document.getElementById('errors')?.focus();
