// The configurator in place: every choice is the page's own form, sent by fetch; the server answers with the form anew.

import { morph } from './morph.js';

const TYPING_PAUSE_MS = 500;
const form = document.getElementById('configurator');
const stage = document.getElementById('stage');
let viewer = null;
let latest = 0;

// -- the picture ---------------------------------------------------------------------------------------------------

const read = (name) => JSON.parse(stage.dataset[name] || '{}');

async function openViewer() {
  const setup = document.getElementById('viewer-setup');
  if (!setup) return;
  const { createViewer } = await import('./viewer.js');
  viewer = createViewer(stage, {
    ...JSON.parse(setup.textContent), choices: read('choices'), texts: read('texts'), view: form.elements.view.value,
  });
  for (const link of document.querySelectorAll('.views [data-live]')) link.hidden = false;
}

/** Turn the live piece; where it cannot be live, fetch the still of that side. */
async function showView(link) {
  for (const other of document.querySelectorAll('.views a')) other.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
  form.elements.view.value = link.dataset.view;
  if (await viewer?.view(link.dataset.view)) return;
  const answer = await fetch(link.href, { headers: { 'X-Partial': '1' } });
  if (answer.ok) swap(await answer.text());
}

// -- sending and swapping ------------------------------------------------------------------------------------------

/** Send the form as the button would and put the answer in its place; the newest answer wins. */
async function send(submitter) {
  const turn = ++latest;
  const fields = new FormData(form, submitter);
  const body = form.enctype === 'multipart/form-data' ? fields : new URLSearchParams(fields);
  let answer;
  try {
    answer = await fetch(form.action, { method: 'POST', body, headers: { 'X-Partial': '1' } });
  } catch {
    return say('The shop could not be reached. Your design is as it was; please try again.');
  }
  if (answer.redirected) return location.assign(answer.url);
  const text = await answer.text();
  if (turn !== latest) return undefined;
  return swap(text);
}

function swap(text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  const next = fresh.getElementById('configurator');
  if (!next) return say(fresh.body.textContent.trim().replace(/\s+/g, ' '));
  fresh.getElementById('repairs')?.removeAttribute('open');
  document.getElementById('repairs')?.close();
  const bag = fresh.getElementById('bag-now');
  if (bag) document.getElementById('bag-count').textContent = bag.textContent;
  morph(form, next);
  for (const file of form.querySelectorAll('[data-file]')) file.value = ''; // it has arrived, or was refused
  viewer?.apply(read('choices'), read('texts'));
  return openDialog();
}

function say(sentence) {
  document.getElementById('bar-note').textContent = sentence;
}

// -- repairs -------------------------------------------------------------------------------------------------------

function openDialog() {
  const dialog = document.getElementById('repairs');
  if (!dialog || dialog.matches(':modal')) return;
  dialog.close();
  dialog.showModal();
}

// -- what a person does --------------------------------------------------------------------------------------------

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { submitter } = event;
  if (submitter?.getAttribute('aria-disabled') === 'true') return;
  send(submitter);
});

form.addEventListener('click', (event) => {
  const view = event.target.closest('a[data-view]');
  const close = event.target.closest('[data-close]');
  if (view) {
    event.preventDefault();
    showView(view);
  }
  if (close) {
    event.preventDefault();
    document.getElementById('repairs').close();
  }
});

let pause = 0;
form.addEventListener('input', (event) => {
  if (!event.target.matches('[data-words]')) return;
  clearTimeout(pause);
  pause = setTimeout(() => send(form.querySelector('button[value=texts]')), TYPING_PAUSE_MS);
});

form.addEventListener('change', (event) => {
  if (event.target.matches('[data-file]') && event.target.files.length) send(form.querySelector('button[value=texts]'));
});

addEventListener('keydown', (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || event.target.matches('input, textarea')) return;
  event.preventDefault();
  form.querySelector(event.shiftKey ? '#redo' : '#undo').click();
});

// Another tab, or the back button, may have moved the design on.
addEventListener('pageshow', (event) => event.persisted && location.reload());

openDialog();
openViewer();
