/** The look of an email's page. */
export const MAIL_STYLE = /* css */ `
.places { display: flex; justify-content: space-between; gap: 1rem; margin-bottom: -0.5rem }
.places a { text-decoration: none }
.places .none { color: var(--soft) }
#neighbours { display: flex; gap: 1rem }
.tools { margin-left: auto; display: flex; flex-wrap: wrap; gap: 0.5rem }
.people { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.125rem 0.875rem; margin-top: -0.5rem }
.people dt { color: var(--soft) }
.people .name { font-weight: 600 }
.who { display: flex; flex-wrap: wrap; gap: 0.125rem 1.25rem; color: var(--soft); margin-top: -0.5rem }
.alert { padding: 0.625rem 1rem; border-radius: 8px; color: var(--red); background: var(--red-ground) }
.verdict { border-left: 4px solid var(--green); gap: 0.5rem }
.verdict.refused { border-left-color: var(--red) }
.verdict.refused h2 { color: var(--red) }
.problems { display: grid; gap: 0.75rem; margin-top: 0.25rem }
.problems li { border-top: 1px solid var(--line); padding-top: 0.625rem }
.problems dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.2rem 1rem }
.problems dt { color: var(--soft) }
.code { font-family: var(--mono) }
.notes { list-style: disc; padding-left: 1.1rem; display: grid; gap: 0.25rem }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 23rem; gap: 1rem; align-items: start }
.content { display: grid; gap: 0.625rem; grid-template-columns: minmax(0, 1fr) }
.aside { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) }
.tabs { display: flex; flex-wrap: wrap; gap: 0.125rem; border-bottom: 1px solid var(--line) }
.tabs a { padding: 0.375rem 0.75rem; color: var(--soft); text-decoration: none; border-bottom: 2px solid transparent; margin-bottom: -1px }
.tabs a:hover { color: var(--text) }
.tabs a[aria-current] { color: var(--text); font-weight: 600; border-bottom-color: var(--accent) }
.looks { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem }
.looks nav { display: flex; border: 1px solid var(--edge); border-radius: 6px; overflow: clip }
.looks a { padding: 0.125rem 0.625rem; color: var(--soft); text-decoration: none }
.looks a:hover { background: var(--hover) }
.looks a[aria-current] { color: var(--text); font-weight: 600; background: var(--hover) }
.looks a:focus-visible { outline-offset: -2px }
.frame.phone { width: min(100%, 377px) } .frame.tablet { width: min(100%, 770px) }
.frame.phone, .frame.tablet { height: 40rem; margin: 0 auto }
.frame.dark { background: #121212 }
.columns.wide { grid-template-columns: minmax(0, 1fr) }
.frame { display: block; width: 100%; height: 28rem; resize: vertical; background: #fff; border: 1px solid var(--line); border-radius: 8px }
.content pre { padding: 1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 8px }
.content pre.text { font: inherit }
.headers, .metadata, .links, .clients { border-collapse: collapse; width: 100% }
:is(.headers, .links, .clients) { background: var(--surface); border: 1px solid var(--line) }
:is(.links, .clients) :is(th, td) { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem; border-top: 1px solid var(--line); font-weight: inherit }
:is(.links, .clients) thead th { color: var(--soft); font-size: 0.75rem; border-top: 0 }
.links .reply { width: 5rem; color: var(--soft) } .links .good .reply { color: var(--green) } .links .bad .reply { color: var(--red) }
:is(.links, .clients) p { color: var(--soft); font-size: 0.8125rem }
.clients th { width: 40% } .clients th span { color: var(--soft) }
.check { display: grid; gap: 0.375rem; justify-items: start }
.headers caption { text-align: left; color: var(--soft); font-size: 0.8125rem; padding-bottom: 0.375rem }
:is(.headers, .metadata) :is(th, td) { text-align: left; vertical-align: top; padding: 0.3rem 0.75rem; border-top: 1px solid var(--line); font-weight: inherit }
:is(.headers, .metadata) th { color: var(--soft); width: 30% }
:is(.headers, .metadata) tr:first-child > * { border-top: 0 }
.metadata :is(th, td) { padding: 0.25rem 0.75rem 0.25rem 0; font-family: var(--mono); font-size: 0.8125rem }
.attachments { display: grid; gap: 0.375rem; margin-top: 0.5rem }
.attachments li { display: flex; flex-wrap: wrap; gap: 0 0.875rem; padding: 0.375rem 0; border-top: 1px solid var(--line) }
.attachments li span { color: var(--soft) }
.attachments .size { margin-left: auto }
.attachments :is(img, details) { flex-basis: 100%; margin-top: 0.375rem }
.attachments img { max-width: min(100%, 30rem); max-height: 20rem; object-fit: contain; object-position: left; background: repeating-conic-gradient(#ddd 0 25%, #fff 0 50%) 0 0 / 16px 16px }
.actions { display: grid; gap: 0.625rem; grid-template-columns: minmax(0, 1fr) }
.buttons { display: flex; flex-wrap: wrap; gap: 0.5rem }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.5rem; align-items: end }
.timeline { display: grid; gap: 0.75rem; border-left: 2px solid var(--line); padding-left: 0.875rem; margin-left: 0.25rem }
.timeline > li { position: relative; display: grid; gap: 0.125rem; grid-template-columns: minmax(0, 1fr) }
.timeline > li::before { content: ''; position: absolute; left: calc(-0.875rem - 6px); top: 0.35rem; width: 10px; height: 10px; border-radius: 50%; background: var(--edge); border: 2px solid var(--surface) }
.timeline > :is(.Delivery, .Open, .Click)::before { background: var(--green) }
.timeline > :is(.Bounce, .SubscriptionChange)::before { background: var(--orange) }
.timeline > .SpamComplaint::before { background: var(--violet) }
.timeline time, .timeline p { color: var(--soft); font-size: 0.8125rem }
.timeline summary { font-size: 0.8125rem }
.attempts { display: grid; gap: 0.375rem; font-size: 0.8125rem; margin-top: 0.25rem }
.attempts li { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0 0.5rem }
.attempts li span:last-child { grid-column: 2; color: var(--soft) }
.reply { font-weight: 600; color: var(--green) }
:is(.retry, .dropped) .reply { color: var(--red) }
@media (max-width: 64rem) {
  .columns { grid-template-columns: minmax(0, 1fr) }
}
@media (max-width: 44rem) {
  .frame { height: 24rem }
  .problems dl, .facts { grid-template-columns: minmax(0, 1fr); gap: 0 }
  .problems dd, .facts dd { margin-bottom: 0.375rem }
}
`
