import { runWithPostmark } from '@postmark-smtp/core'

export const welcome = (email, to) =>
  // The provider passes on the properties it knows, and `postmark` is not one of them.
  runWithPostmark({ tag: 'welcome', messageStream: 'signups', metadata: { id: 7 } }, () =>
    email.send({ to, subject: 'Welcome', text: 'Welcome' }),
  )
