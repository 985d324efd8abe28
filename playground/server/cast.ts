import type { Group, Person } from '../dingtalk/types.ts';
import { sampleApp } from '../dify/sample-app.ts';
import { plays, SAMPLE_NAMES } from '../dify/samples.ts';
import type { SampleApp } from '../dify/types.ts';
import {
  REPLY_LANGUAGES,
  type AppChoice,
  type ChatInfo,
  type Named,
  type PersonInfo,
  type ReplyLanguage,
} from './protocol.ts';

/** Who plays along: an invented company, its people and chats, and the sample apps. */

export const ROBOT: Named = { zh: '云杉小助手', en: 'Spruce Assistant' };

const staff: { person: Omit<Person, 'nick'>; name: Named; role: Named }[] = [
  {
    person: { staffId: 'staff-0001', unionId: 'union-0001', isAdmin: true },
    name: { zh: '张晓雯', en: 'Zhang Xiaowen' },
    role: { zh: '行政经理', en: 'Office manager' },
  },
  {
    person: { staffId: 'staff-0002', unionId: 'union-0002' },
    name: { zh: '李哲', en: 'Li Zhe' },
    role: { zh: '研发工程师', en: 'Engineer' },
  },
  // Without a staff id, as DingTalk reports people of other organisations.
  {
    person: { unionId: 'union-0003' },
    name: { zh: '周一航', en: 'Zhou Yihang' },
    role: { zh: '外部顾问', en: 'External consultant' },
  },
];

const groups: { group: Omit<Group, 'title'>; title: Named }[] = [
  {
    group: { conversationId: 'cidPlaygroundHelpdesk01==', members: ['staff-0001', 'staff-0002', 'union-0003'] },
    title: { zh: '人事与 IT 服务群', en: 'HR & IT helpdesk' },
  },
  {
    group: { conversationId: 'cidPlaygroundRelease02==', members: ['staff-0001', 'staff-0002'] },
    title: { zh: '云杉 3.0 项目群', en: 'Spruce 3.0 project' },
  },
];

/** A text in the language of the robot. */
export const inLanguage = (named: Named, language: ReplyLanguage): string => (language === 'en' ? named.en : named.zh);

/** The people as DingTalk knows them. Their nicks and the groups' titles go into the callbacks. */
export const peopleIn = (language: ReplyLanguage): Person[] =>
  staff.map(({ person, name }) => ({ ...person, nick: inLanguage(name, language) }));

export const groupsIn = (language: ReplyLanguage): Group[] =>
  groups.map(({ group, title }) => ({ ...group, title: inLanguage(title, language) }));

const idOf = ({ staffId, unionId }: Omit<Person, 'nick'>) => staffId ?? unionId;

export const PERSON_INFOS: PersonInfo[] = staff.map(({ person, name, role }) => ({
  id: idOf(person),
  staffId: person.staffId ?? null,
  name,
  role,
}));

export const GROUP_INFOS: ChatInfo[] = groups.map(({ group, title }) => ({
  id: group.conversationId,
  kind: 'group',
  title,
  members: [...group.members],
}));

const samples: { id: string; mode: SampleApp['mode']; type: string; name: Named }[] = [
  { id: 'chat', mode: 'chat', type: 'chat', name: { zh: '聊天助手', en: 'Chatbot' } },
  { id: 'agent', mode: 'agent-chat', type: 'agent', name: { zh: 'Agent', en: 'Agent' } },
  { id: 'chatflow', mode: 'advanced-chat', type: 'chatflow', name: { zh: 'Chatflow', en: 'Chatflow' } },
  { id: 'workflow', mode: 'workflow', type: 'workflow', name: { zh: '工作流', en: 'Workflow' } },
  { id: 'completion', mode: 'completion', type: 'completion', name: { zh: '文本生成', en: 'Completion' } },
];

export const SAMPLE_CHOICES: AppChoice[] = samples.map(({ id, mode, type, name }) => ({
  id,
  type,
  name,
  real: false,
  samples: SAMPLE_NAMES.filter((sample) => plays(mode, sample)),
  problem: null,
}));

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
