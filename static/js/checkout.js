// Comforts of bag and checkout: the totals follow the country, a quantity is sent when it is changed.

document.documentElement.classList.add('scripted');

for (const input of document.querySelectorAll('[data-send-on-change]')) {
  input.form.querySelector('button').hidden = true;
  input.addEventListener('change', () => input.form.requestSubmit());
}

const form = document.getElementById('checkout');
const places = form ? ['country', 'postal_code', 'vat_id'].map((name) => form.elements[name]) : [];
const territories = JSON.parse(form?.dataset.territories ?? '{}');
let asked = 0;
let reckoned = place();

// What of the address moves the total: the country, a territory with a tax of its own, a company's VAT ID.
function place() {
  const [country, postal, vat] = places.map((field) => field.value.trim());
  const code = (postal ?? '').toUpperCase().replaceAll(/\s/g, '');
  const apart = (territories[country] ?? []).find((start) => code.startsWith(start)) ?? '';
  return [country, apart, vat].join(' ');
}

for (const field of places) field.addEventListener('change', reckon);

async function reckon() {
  if (place() === reckoned) return;
  reckoned = place();
  const turn = ++asked;
  const summary = document.getElementById('order-summary');
  summary.setAttribute('aria-busy', 'true');
  const where = new URLSearchParams(places.map((field) => [field.name, field.value]));
  const response = await fetch(`/checkout?${where}`, { headers: { 'X-Partial': '1' } });
  const html = await response.text();
  // A later answer may come first, and a session may have ended: then the server asks again when the order is sent.
  if (turn !== asked) return;
  if (response.ok && !response.redirected) {
    const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById('order-summary');
    if (fresh) {
      summary.replaceWith(fresh);
      form.elements.seen_total.value = document.getElementById('seen-total').value;
      return;
    }
  }
  summary.removeAttribute('aria-busy');
}
