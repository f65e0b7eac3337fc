import { MESSAGE_LIMITS } from '@postmark-smtp/core/pure'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

/** What the server offers. */
export const ehlo: Check = defineCheck({
  id: 'ehlo',
  title: 'What the server offers',
  after: ['tls'],
  kinds: {
    'no-auth': {
      level: 'fault',
      what: 'The server offers no mechanism to log in.',
      cause: 'It is a relay that takes mails without a login, and not Postmark.',
      cure: 'Check the host in the URL.',
      link: LINKS.smtp,
    },
    'no-pipelining': {
      level: 'warning',
      what: 'The server does not offer PIPELINING: each mail takes more round trips.',
      cause: 'A proxy or relay in between leaves it out.',
      cure: 'Connect without the proxy; mails go out more slowly until then.',
      link: LINKS.smtp,
    },
    'size-small': {
      level: 'warning',
      what: 'The server takes smaller mails than Postmark does (10 MB).',
      cause: 'A relay in between has a limit of its own.',
      cure: 'Raise the limit of the relay, or connect to Postmark directly.',
      link: LINKS.smtp,
    },
  },
  async run({ facts, host }, report) {
    const session = facts.sessions.get(host)
    const { keywords, mechanisms } = session?.capabilities ?? {}
    if (!session || !keywords || !mechanisms) {
      report.found('no-auth', `${session?.failure?.message ?? 'EHLO was not answered'}`)
      return
    }
    const size = Number(keywords.get('SIZE') ?? 0)
    if (mechanisms.length === 0) report.found('no-auth', `it offers ${[...keywords.keys()].join(', ')}`)
    if (!keywords.has('PIPELINING'))
      report.found('no-pipelining', `it offers ${[...keywords.keys()].join(', ')}`)
    if (size > 0 && size < MESSAGE_LIMITS.messageBytes) report.found('size-small', `SIZE is ${size} bytes`)
    const has = (keyword: string) => `${keywords.has(keyword) ? '' : 'no '}${keyword}`
    report.fine(
      `${session.ehloName}: ${has('PIPELINING')}, ${has('CHUNKING')}, SIZE ${size || 'not said'}, AUTH ${mechanisms.join(' ')}; ${howMailsFollow(keywords)}`,
    )
  },
})

/** What the transport makes of it; `inUse` of the event postmark-smtp:connect says what it does in the end. */
function howMailsFollow(keywords: ReadonlyMap<string, string>): string {
  if (!keywords.has('PIPELINING')) return 'each command waits for its answer'
  return keywords.has('CHUNKING')
    ? 'whole mails of a batch can follow one another'
    : 'one mail can follow another in one round trip'
}
