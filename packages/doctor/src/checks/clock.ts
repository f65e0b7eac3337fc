import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'
import { missingServer, SERVER_TOKEN } from './needs-api.js'

const MOST_SKEW_MS = 60_000

/** The clock of this machine, compared with that of the API. */
export const clock: Check = defineCheck({
  id: 'clock',
  title: 'Clock',
  after: [],
  needs: SERVER_TOKEN,
  missing: missingServer,
  kinds: {
    'clock-skew': {
      level: 'warning',
      what: 'The clock of this machine differs from Postmark’s by more than a minute.',
      cause: 'The machine does not synchronise with a time server.',
      cure: 'Switch time synchronisation on. Certificates, the dates of emails and send-once depend on the clock.',
      link: LINKS.api,
    },
  },
  async run({ api }, report) {
    const { theirs, from, to } = api!.clock ?? {}
    if (theirs === undefined || from === undefined || to === undefined) {
      report.fine('the API does not report the time')
      return
    }
    // The Date header has whole seconds.
    const skewMs = theirs > to ? theirs - to : Math.min(0, theirs + 1_000 - from)
    const text = `${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'slow' : 'fast'}`
    if (Math.abs(skewMs) > MOST_SKEW_MS) report.found('clock-skew', `the clock is ${text}`)
    else report.fine(Math.abs(skewMs) < 1_000 ? 'correct' : text)
  },
})
