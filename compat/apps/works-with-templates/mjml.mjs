import mjml2html from 'mjml'

const welcome = (name) => `<mjml><mj-body><mj-section><mj-column>
  <mj-text>Welcome ${name}</mj-text>
</mj-column></mj-section></mj-body></mjml>`

export async function sendWelcome(transporter, to, name) {
  const { html } = await mjml2html(welcome(name))
  const postmark = { tag: 'welcome', messageStream: 'signups' }
  await transporter.sendMail({ to, subject: 'Welcome', html, text: `Welcome ${name}`, postmark })
}
