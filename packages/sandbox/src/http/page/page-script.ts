/**
 * What the page does in addition to forms and links: it updates live, listens to keys and copies. The browser runs this
 * text as it is. A test lets Biome check it.
 */
export const PAGE_SCRIPT = /* js */ `const page = document.body.dataset.page
const live = document.getElementById('live')
const filters = document.getElementById('filters')

// Live: when the server says that something changed, the parts marked data-live are loaded again from the same URL.

let loading = false
let stale = false

async function refresh() {
  stale = true
  if (loading) return
  loading = true
  while (stale) {
    stale = false
    await load()
  }
  loading = false
}

async function load() {
  try {
    const response = await fetch(location.href, { headers: { 'Sandbox-Refresh': '1' } })
    if (!response.ok) return tell('Cleared')
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    for (const old of document.querySelectorAll('[data-live]')) {
      const next = fresh.getElementById(old.id)
      if (next && next.innerHTML !== old.innerHTML) replace(old, next)
    }
  } catch {
    // The connection is gone. The event source says so and reconnects.
  }
}

function replace(old, next) {
  const focused = document.activeElement
  const id = old.contains(focused) ? focused.id : ''
  const top = id && focused.getBoundingClientRect().top
  const known = new Set([...old.querySelectorAll('tr[id]')].map((row) => row.id))
  const open = [...old.querySelectorAll('details')].map((each) => each.open)
  old.replaceChildren(...next.childNodes)
  old.querySelectorAll('details').forEach((each, index) => {
    each.open = open[index] ?? false
  })
  if (known.size > 0) {
    for (const row of old.querySelectorAll('tr[id]')) row.classList.toggle('new', !known.has(row.id))
  }
  const again = id && document.getElementById(id)
  if (again) {
    again.focus({ preventScroll: true })
    scrollBy(0, again.getBoundingClientRect().top - top)
  }
  prepare()
}

let source

// A browser opens at most six connections to one server, so a hidden page closes its own.
function connect() {
  source?.close()
  if (document.hidden) return
  source = new EventSource('/events')
  source.addEventListener('open', () => tell('Live'))
  source.addEventListener('error', () => tell('Offline'))
  source.addEventListener('change', refresh)
}

function tell(state) {
  live.textContent = state
  live.dataset.state = state
}

if (page !== 'help') {
  connect()
  document.addEventListener('visibilitychange', connect)
  // A page that is being left stops updating, because what it shows may be gone, as after its own button Delete.
  document.addEventListener('submit', () => source?.close())
}

// The filters: the list follows while you type.

let typing
filters?.addEventListener('input', () => {
  clearTimeout(typing)
  typing = setTimeout(() => {
    const wanted = [...new FormData(filters)].filter(([, value]) => value !== '')
    history.replaceState(null, '', wanted.length > 0 ? '/?'.concat(new URLSearchParams(wanted)) : '/')
    remember()
    void refresh()
  }, 200)
})

// The way back to the filtered list.

function remember() {
  if (page === 'inbox') sessionStorage.setItem('inbox', location.search)
}
remember()
if (page !== 'inbox') {
  document.getElementById('to-inbox').href = '/'.concat(sessionStorage.getItem('inbox') ?? '')
}

// After an email, the list continues at its row.
if (page === 'inbox' && location.hash.startsWith('#mail-')) {
  document.getElementById(location.hash.slice(1))?.focus()
}

// Keys.

const mails = () => [...document.querySelectorAll('.mails .subject a')]

function move(step) {
  const links = mails()
  const index = links.indexOf(document.activeElement)
  const next = links[index < 0 ? 0 : index + step]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

const click = (id) => document.getElementById(id)?.click()

const KEYS = {
  j: () => (page === 'mail' ? click('older') : move(1)),
  k: () => (page === 'mail' ? click('newer') : move(-1)),
  u: () => click('unread'),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  '/': () => document.getElementById('q')?.focus(),
  '?': () => location.assign('/help'),
  Escape: () => click(page === 'mail' ? 'back' : page === 'help' ? 'to-inbox' : ''),
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  if (event.target.closest('input, select, textarea')) {
    if (event.key === 'Escape') event.target.blur()
    return
  }
  if (event.key.startsWith('Arrow') && mails().length === 0) return
  const act = KEYS[event.key]
  if (!act || (event.key === '/' && !filters)) return
  event.preventDefault()
  act()
})

// Buttons that need a script.

function prepare() {
  for (const button of document.querySelectorAll('[data-copy]')) button.hidden = false
}
prepare()

document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]')
  if (!button) return
  const text = document.getElementById(button.dataset.copy)
  try {
    await navigator.clipboard.writeText(text.textContent)
    button.textContent = 'Copied'
  } catch {
    getSelection().selectAllChildren(text)
    button.textContent = 'Press Ctrl+C'
  }
})
`
