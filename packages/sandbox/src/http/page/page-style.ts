import { MAIL_STYLE } from './mail-style.js'

/** The look of every page, and of the list. */
const BASE_STYLE = /* css */ `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #141517);
  --surface: light-dark(#ffffff, #1c1d20);
  --line: light-dark(#e0e0db, #303237);
  --edge: light-dark(#8a8a83, #74777f);
  --text: light-dark(#1d1d1b, #e7e7e4);
  --soft: light-dark(#5c5c57, #a5a6a8);
  --accent: light-dark(#1a56b8, #8fb8ff);
  --hover: light-dark(#f0f4fb, #23262d);
  --green: light-dark(#1b6b38, #7fd39b);
  --green-ground: light-dark(#e5f3e9, #1b3325);
  --red: light-dark(#a81f1f, #ff9d95);
  --red-ground: light-dark(#fbe8e6, #421f1f);
  --orange: light-dark(#8a4b00, #f5bd74);
  --orange-ground: light-dark(#fcefd9, #3d2c14);
  --violet: light-dark(#6236a8, #c9aefb);
  --violet-ground: light-dark(#f0e9fb, #2f2445);
  --blue-ground: light-dark(#e6effc, #1c2c47);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace;
}
*, ::before, ::after { box-sizing: border-box }
html { scroll-padding-top: 4rem }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 0.875rem/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, p, dl, dd, ol, ul, table, pre { margin: 0; padding: 0 }
ol, ul { list-style: none }
h1 { font-size: 1.25rem; line-height: 1.3; letter-spacing: -0.01em }
h2 { font-size: 0.9375rem; line-height: 1.3 }
h3 { font-size: 0.8125rem; color: var(--soft); font-weight: 600 }
a { color: var(--accent); text-underline-offset: 0.15em }
code, pre, kbd { font-family: var(--mono); font-size: 0.8125rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
main:focus { outline: none }
button, input, select {
  font: inherit; color: inherit; min-height: 2rem; min-width: 0; padding: 0.25rem 0.6rem;
  border: 1px solid var(--edge); border-radius: 6px; background: var(--surface);
}
button, .button { cursor: pointer; font-weight: 550 }
.button { display: inline-flex; align-items: center; min-height: 2rem; padding: 0.25rem 0.6rem; border: 1px solid var(--edge); border-radius: 6px; background: var(--surface); color: inherit; text-decoration: none }
:is(button, .button):hover { background: var(--hover); border-color: var(--accent) }
input::placeholder { color: var(--soft); opacity: 1 }
label > span { display: block; font-size: 0.75rem; color: var(--soft); margin-bottom: 0.125rem }
label > :is(input, select) { width: 100% }
summary { cursor: pointer; color: var(--soft); width: fit-content }
summary:hover { color: var(--text) }
.danger { color: var(--red); border-color: currentColor }
.note { color: var(--soft); font-size: 0.8125rem }
.hidden { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; white-space: nowrap }
.skip { position: absolute; left: 1rem; top: -4rem; z-index: 3; padding: 0.5rem 1rem; background: var(--surface); border-radius: 6px }
.skip:focus { top: 0.5rem }

.bar {
  position: sticky; top: 0; z-index: 2; display: flex; align-items: center; gap: 0.5rem 1.5rem; flex-wrap: wrap;
  padding: 0.5rem 1.25rem; background: var(--surface); border-bottom: 1px solid var(--line);
}
.brand { display: flex; align-items: center; gap: 0.5rem; font-weight: 650 }
.bar nav { display: flex; gap: 0.25rem }
.bar nav a { padding: 0.25rem 0.6rem; border-radius: 6px; color: var(--soft); text-decoration: none }
.bar nav a:hover { color: var(--text); background: var(--hover) }
.bar nav a[aria-current] { color: var(--text); background: var(--ground); font-weight: 600 }
.live { margin-left: auto; color: var(--soft); font-size: 0.8125rem }
.live[data-state]::before { content: ''; display: inline-block; width: 0.5rem; height: 0.5rem; border-radius: 50%; margin-right: 0.4rem; background: var(--edge) }
.live[data-state='Live']::before { background: light-dark(#2c9a53, #57c97e) }
main { max-width: 84rem; margin: 0 auto; padding: 1.25rem; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) }
.head { display: flex; align-items: baseline; gap: 0.25rem 0.75rem; flex-wrap: wrap }
#summary { color: var(--soft) }
.clear { margin-left: auto }
.clear form { margin-top: 0.25rem }
.clear button { width: 100% }
.card, .verdict, .empty { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.125rem; display: grid; gap: 0.625rem; grid-template-columns: minmax(0, 1fr) }
.empty { padding: 1.5rem; max-width: 54rem }
p.empty { max-width: none; display: block; color: var(--soft) }
.empty pre, .card pre { padding: 0.75rem; background: var(--ground); border-radius: 6px }
.copy { display: flex; gap: 0.5rem; flex-wrap: wrap; align-items: center }
.copy code { padding: 0.4rem 0.6rem; background: var(--ground); border: 1px solid var(--line); border-radius: 6px }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.25rem 0.875rem }
.facts dt, .keys dd { color: var(--soft) }
.keys { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.375rem 1rem; align-items: baseline }
kbd { padding: 0.1rem 0.4rem; border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; background: var(--ground) }

.filters { display: grid; grid-template-columns: minmax(12rem, 2fr) repeat(5, minmax(6rem, 1fr)) auto; gap: 0.5rem; align-items: end }
.submit { display: flex; gap: 0.75rem; align-items: center }

.mails { display: block; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; overflow: clip }
.mails :is(thead, tbody) { display: block }
.mails tr {
  position: relative; display: grid; gap: 0 1rem; align-items: center; padding: 0.25rem 1rem;
  grid-template-columns: 8.5rem minmax(0, 5fr) minmax(0, 2fr) minmax(0, 3fr) minmax(7.75rem, 1.4fr) minmax(0, 1.6fr) var(--time, 4.5rem);
}
.mails.dated { --time: 9.75rem }
.mails tbody tr { border-top: 1px solid var(--line); min-height: 2.25rem }
.mails tbody tr:hover, .mails tbody tr:focus-within { background: var(--hover) }
.mails :is(td, th) { display: block; padding: 0; text-align: left; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.mails th { font-size: 0.75rem; font-weight: 600; color: var(--soft) }
.mails .subject a { color: var(--text); text-decoration: none }
.mails .unread .subject a { font-weight: 700 }
.mails .unread .subject::before { content: ''; display: inline-block; width: 0.5rem; height: 0.5rem; margin-right: 0.5rem; border-radius: 50%; background: var(--accent) }
.mails .subject a::after { content: ''; position: absolute; inset: 0 }
.mails .subject a:focus-visible { outline: none }
.mails .subject a:focus-visible::after { outline: 2px solid var(--accent); outline-offset: -2px }
.mails :is(.from, .to, .stream, .tag, .time) { color: var(--soft) }
.mails :is(.time, th:last-child) { text-align: right }
/* The cell clips: the chip must be no wider. */
.mails .tag span { display: block; width: fit-content; max-width: 100%; overflow: hidden; text-overflow: ellipsis; padding: 0.0625rem 0.4rem; border: 1px solid var(--line); border-radius: 4px; font-size: 0.8125rem }
.pager { display: flex; gap: 1rem; justify-content: center; margin-top: 1rem }

.badge { display: inline-block; padding: 0.125rem 0.5rem; border-radius: 99px; font-size: 0.75rem; font-weight: 600; white-space: nowrap; color: var(--green); background: var(--green-ground) }
.badge.refused { color: var(--red); background: var(--red-ground) }
.badge:is(.bounced, .unsubscribed) { color: var(--orange); background: var(--orange-ground) }
.badge.complaint { color: var(--violet); background: var(--violet-ground) }
.badge:is(.opened, .clicked) { color: var(--accent); background: var(--blue-ground) }

@media (prefers-reduced-motion: no-preference) {
  .mails tr.new { animation: arrive 2s ease-out }
  @keyframes arrive { from { background: var(--blue-ground) } }
}
@media (max-width: 64rem) {
  .filters { grid-template-columns: repeat(3, minmax(0, 1fr)) }
  .filters .wide { grid-column: span 3 }
}
@media (max-width: 44rem) {
  main, .bar { padding-left: 0.75rem; padding-right: 0.75rem }
  .filters { grid-template-columns: repeat(2, minmax(0, 1fr)) }
  .filters .wide { grid-column: span 2 }
  .mails thead { display: none }
  .bar { gap: 0.25rem 0.5rem }
  .bar nav a { padding: 0.25rem 0.375rem }
  .mails tr { grid-template: 'subject subject time' 'from status status' 'to to to' 'stream tag tag' / minmax(0, 1fr) auto max-content; gap: 0.125rem 0.75rem; padding: 0.5rem 0.75rem }
  .mails .subject { grid-area: subject } .mails .from { grid-area: from } .mails .to { grid-area: to }
  .mails .status { grid-area: status } .mails .time { grid-area: time }
  .mails .stream { grid-area: stream } .mails .tag { grid-area: tag; justify-self: end; max-width: 12rem }
}
`

/** The style of the page. */
export const PAGE_STYLE: string = BASE_STYLE + MAIL_STYLE
