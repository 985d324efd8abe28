import type { Group, Person } from '../dingtalk/types.ts';
import { sampleApp } from '../dify/sample-app.ts';
import type { SampleApp } from '../dify/types.ts';
import { REPLY_LANGUAGES, type AppChoice, type Named, type PersonInfo, type ReplyLanguage } from './protocol.ts';

/** Who plays along: an invented company, its people and chats, and the sample apps. */

export const ROBOT: Named = { zh: '云杉小助手', en: 'Spruce Assistant' };

const staff: { person: Person & { nick: string }; role: Named }[] = [
  {
    person: { staffId: 'staff-0001', unionId: 'union-0001', nick: '张晓雯', isAdmin: true },
    role: { zh: '行政经理', en: 'Office manager' },
  },
  {
    person: { staffId: 'staff-0002', unionId: 'union-0002', nick: '李哲' },
    role: { zh: '研发工程师', en: 'Engineer' },
  },
  // Without a staff id, as DingTalk reports people of other organisations.
  { person: { unionId: 'union-0003', nick: '周一航' }, role: { zh: '外部顾问', en: 'External consultant' } },
];

export const PEOPLE: Person[] = staff.map(({ person }) => person);

export const PERSON_INFOS: PersonInfo[] = staff.map(({ person, role }) => ({
  id: person.staffId ?? person.unionId,
  staffId: person.staffId ?? null,
  name: person.nick,
  role,
}));

export const GROUPS: (Group & { english: string })[] = [
  {
    conversationId: 'cidPlaygroundHelpdesk01==',
    title: '人事与 IT 服务群',
    english: 'HR & IT helpdesk',
    members: ['staff-0001', 'staff-0002', 'union-0003'],
  },
  {
    conversationId: 'cidPlaygroundRelease02==',
    title: '云杉 3.0 项目群',
    english: 'Spruce 3.0 project',
    members: ['staff-0001', 'staff-0002'],
  },
];

const samples: { id: string; mode: SampleApp['mode']; type: string; name: Named }[] = [
  { id: 'chat', mode: 'chat', type: 'chat', name: { zh: '聊天助手', en: 'Chatbot' } },
  { id: 'agent', mode: 'agent-chat', type: 'agent', name: { zh: '智能体', en: 'Agent' } },
  { id: 'chatflow', mode: 'advanced-chat', type: 'chatflow', name: { zh: '对话流', en: 'Chatflow' } },
  { id: 'workflow', mode: 'workflow', type: 'workflow', name: { zh: '工作流', en: 'Workflow' } },
  { id: 'completion', mode: 'completion', type: 'completion', name: { zh: '文本生成', en: 'Completion' } },
];

export const SAMPLE_CHOICES: AppChoice[] = samples.map(({ id, type, name }) => ({ id, type, name, real: false }));

/** The API key of a sample app at the sample Dify. Each app is there twice: its own words have a language, too. */
export const sampleKey = (id: string, language: ReplyLanguage) => `app-playground-${id}-${language}`;

export const SAMPLE_APPS: Record<string, SampleApp> = Object.fromEntries(
  REPLY_LANGUAGES.flatMap((language) =>
    samples.map(({ id, mode, name }) => [
      sampleKey(id, language),
      language === 'en' ? sampleApp(mode, name.en, 'en') : sampleApp(mode, name.zh, 'zh'),
    ]),
  ),
);
