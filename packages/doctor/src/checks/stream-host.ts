import { POSTMARK_HOSTS } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import { isPostmarkHost } from '../examination.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** Whether the host matches the type of the stream. */
export const streamHost: Check = defineCheck({
  id: 'stream-host',
  title: 'Host for the stream',
  after: ['streams'],
  needs: SERVER_TOKEN,
  missing: (examination) =>
    missingServerToken(examination) ??
    (isPostmarkHost(examination.host) ? undefined : 'the host is not one of Postmark’s'),
  kinds: {
    'wrong-host': {
      level: 'warning',
      what: 'The emails of the stream go to the host for the other type of stream.',
      cause: 'The URL names a host, or it does not state the type of the stream.',
      cure: 'Remove the host from the URL and state the type.',
      link: LINKS.smtp,
    },
  },
  async run({ facts, stream, host }, report) {
    const type = facts.streams?.find(({ ID }) => ID === stream)?.MessageStreamType
    const wanted = type === 'Broadcasts' ? 'broadcasts' : 'transactional'
    if (POSTMARK_HOSTS[wanted] === host) report.fine(`${host} is the host for ${type} streams`)
    else
      report.found(
        'wrong-host',
        `${stream} is ${type}, but its emails go to ${host}`,
        `Use @default?stream=${stream}&type=${wanted} in the URL. It connects to ${POSTMARK_HOSTS[wanted]}.`,
      )
  },
})
