/** A permission of the app in the developer console. */
export type Scope = 'Card.Instance.Write' | 'Card.Streaming.Write' | 'qyapi_robot_sendmsg' | 'qyapi_base';
