import { html } from 'hono/html'
import { MAIL_CLIENTS, SUPPORT_DATE } from '../../checks/client-support.js'
import { type ClientFinding, checkHtml } from '../../checks/html-check.js'
import type { Markup } from './layout.js'

/** What some mail clients do not support in the HTML of an email. */
export function clientCheckView(markup: string): Markup {
  const findings = checkHtml(markup)
  const broken = findings.filter(({ unsupported }) => unsupported.length > 0)
  return html`<p class="note" id="client-check">${
    findings.length === 0
      ? `All ${MAIL_CLIENTS.length} mail clients support what this email uses, as far as is known.`
      : `Features of this email that some of ${MAIL_CLIENTS.length} mail clients do not support: ${broken.length}. Features that some support only in part: ${findings.length - broken.length}.`
  } Tested by <a href="https://www.caniemail.com/" target="_blank" rel="noopener noreferrer">caniemail.com</a>, ${SUPPORT_DATE}.</p>
${findings.length === 0 ? '' : html`<table class="clients" aria-describedby="client-check"><caption class="hidden">Support of mail clients</caption><thead><tr><th scope="col">Feature</th><th scope="col">Clients</th></tr></thead><tbody>${findings.map(findingRow)}</tbody></table>`}`
}

function findingRow({ title, url, count, unsupported, partly }: ClientFinding): Markup {
  const summary = [
    unsupported.length > 0 && `${unsupported.length} of ${MAIL_CLIENTS.length} do not support it`,
    partly.length > 0 && `${partly.length} support it only in part`,
  ].filter((each) => each !== false)
  return html`<tr><th scope="row"><a href="${url}" target="_blank" rel="noopener noreferrer">${title}</a> <span>${count}×</span></th><td><details><summary>${summary.join(', ')}</summary>${unsupported.length > 0 ? html`<p>Not supported: ${unsupported.join(', ')}</p>` : ''}${partly.length > 0 ? html`<p>Supported in part: ${partly.join(', ')}</p>` : ''}</details></td></tr>`
}
