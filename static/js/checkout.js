// Comforts of bag and checkout: the totals follow the country, a quantity is sent when it is changed.

document.documentElement.classList.add('scripted');

for (const input of document.querySelectorAll('[data-send-on-change]')) {
  input.form.querySelector('button').hidden = true;
  input.addEventListener('change', () => input.form.requestSubmit());
}

const country = document.querySelector('#checkout select[name=country]');
let asked = 0;

country?.addEventListener('change', async () => {
  const turn = ++asked;
  const summary = document.getElementById('order-summary');
  summary.setAttribute('aria-busy', 'true');
  const response = await fetch(`/checkout?country=${encodeURIComponent(country.value)}`, { headers: { 'X-Partial': '1' } });
  const html = await response.text();
  // A later answer may come first, and a session may have ended: then the server asks again when the order is sent.
  if (turn !== asked) return;
  if (response.ok && !response.redirected) {
    const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById('order-summary');
    if (fresh) {
      summary.replaceWith(fresh);
      document.getElementById('checkout').elements.seen_total.value = document.getElementById('seen-total').value;
      return;
    }
  }
  summary.removeAttribute('aria-busy');
});
