import { render } from '@react-email/render'
import { createElement } from 'react'

const Welcome = ({ name }) => createElement('p', null, 'Welcome ', name)

export async function welcome(transporter, to, name) {
  const element = createElement(Welcome, { name })
  await transporter.sendMail({
    to,
    subject: 'Welcome',
    html: await render(element),
    text: await render(element, { plainText: true }),
    postmark: { tag: 'welcome', messageStream: 'signups' },
  })
}
