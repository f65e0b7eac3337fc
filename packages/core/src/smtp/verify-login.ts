import type { SessionPlan } from './open-session.js'
import { openSession } from './open-session.js'

/** Logs in on a separate connection, then disconnects. @throws SmtpError why no session could be opened */
export function verifyLogin(plan: SessionPlan): Promise<void> {
  return new Promise((resolve, reject) => {
    openSession(plan, (result) => {
      if ('failure' in result) reject(result.failure.error)
      else {
        result.opened.channel.owner = { onEnd: () => {} }
        result.opened.channel.quit()
        resolve()
      }
    })
  })
}
