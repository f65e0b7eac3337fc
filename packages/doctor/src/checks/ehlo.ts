import { MESSAGE_LIMITS } from '@postmark-smtp/core/pure'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

/** The extensions that the server offers. */
export const ehlo: Check = defineCheck({
  id: 'ehlo',
  title: 'SMTP extensions',
  after: ['tls'],
  kinds: {
    'no-auth': {
      level: 'fault',
      what: 'The server offers no way to log in.',
      cause: 'The server is not Postmark but a relay that accepts emails without a login.',
      cure: 'Check the host in the URL.',
      link: LINKS.smtp,
    },
    'no-pipelining': {
      level: 'warning',
      what: 'The server does not offer PIPELINING, so each email takes more round trips.',
      cause: 'A proxy or relay in between removes it.',
      cure: 'Connect without the proxy. Until then, emails go out more slowly.',
      link: LINKS.smtp,
    },
    'size-small': {
      level: 'warning',
      what: 'The server accepts only smaller emails than Postmark does (10 MB).',
      cause: 'A relay in between has its own limit.',
      cure: 'Raise the limit of the relay, or connect to Postmark directly.',
      link: LINKS.smtp,
    },
  },
  async run({ facts, host }, report) {
    const session = facts.sessions.get(host)
    const { keywords, mechanisms } = session?.capabilities ?? {}
    if (!session || !keywords || !mechanisms) {
      report.found('no-auth', `${session?.failure?.message ?? 'the server did not answer EHLO'}`)
      return
    }
    const size = Number(keywords.get('SIZE') ?? 0)
    if (mechanisms.length === 0)
      report.found('no-auth', `no AUTH; the server offers ${[...keywords.keys()].join(', ')}`)
    if (!keywords.has('PIPELINING'))
      report.found('no-pipelining', `no PIPELINING; the server offers ${[...keywords.keys()].join(', ')}`)
    if (size > 0 && size < MESSAGE_LIMITS.messageBytes)
      report.found('size-small', `SIZE is only ${size} bytes`)
    const has = (keyword: string) => `${keywords.has(keyword) ? '' : 'no '}${keyword}`
    report.fine(
      `${session.ehloName}: ${has('PIPELINING')}, ${has('CHUNKING')}, SIZE ${size || 'unknown'}, AUTH ${mechanisms.join(' ')}; ${howMailsFollow(keywords)}`,
    )
  },
})

/** What the transport can do with it; `inUse` of the event postmark-smtp:connect reports what it actually does. */
function howMailsFollow(keywords: ReadonlyMap<string, string>): string {
  if (!keywords.has('PIPELINING')) return 'each command waits for its reply'
  return keywords.has('CHUNKING')
    ? 'whole emails of a batch can follow each other without waiting'
    : 'each email can take a single round trip'
}
