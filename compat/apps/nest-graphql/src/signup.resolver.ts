import { type CanActivate, type ExecutionContext, UseGuards } from '@nestjs/common'
import { Args, GqlExecutionContext, Mutation, Query, Resolver } from '@nestjs/graphql'
import { PostmarkMailer, WithPostmark } from '@postmark-smtp/nestjs'

class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { req, reply } = GqlExecutionContext.create(context).getContext()
    const request = req ?? reply.request
    request.user = { id: 'u1' }
    return true
  }
}

@Resolver()
export class SignupResolver {
  constructor(private readonly mailer: PostmarkMailer) {}

  @Query(() => String)
  hello(): string {
    return 'hello'
  }

  @WithPostmark({ tag: 'signup' })
  @UseGuards(UserGuard)
  @Mutation(() => Boolean)
  async signup(@Args('email') to: string): Promise<boolean> {
    await this.mailer.send({ from: 'shop@example.com', to, subject: 'Hi', text: 'Hi' })
    return true
  }
}
