import { POSTMARK_HOSTS } from '@postmark-smtp/core/internal'
import { type Check, defineCheck } from '../check.js'
import { isPostmarkHost } from '../examination.js'
import { LINKS } from './links.js'
import { missingServerToken, SERVER_TOKEN } from './needs-api.js'

/** Whether the host fits the type of the stream. */
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
      what: 'The mails of a stream go to the host for streams of the other type.',
      cause: 'The URL names a host, or does not say the type of the stream.',
      cure: 'Leave the host out of the URL, and say the type.',
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
        `${stream} is ${type}, and its mails go to ${host}`,
        `Write @default?stream=${stream}&type=${wanted} in the URL: its host is ${POSTMARK_HOSTS[wanted]}.`,
      )
  },
})
