import type { SampleTexts } from './sample-texts.ts';

const offices: [city: string, address: string, desk: string, metro: string, canteen: string][] = [
  ['Shanghai', '88 Yunshan Road, tower A, floors 6–12', '8101', 'Zhangjiang (line 2, exit 3)', 'tower A, floor 3'],
  ['Beijing', '21 Zhichun Road, Spruce Building, floor 9', '8201', 'Zhichunlu (line 13, exit A)', 'basement 1'],
  ['Shenzhen', '1001 Keyuan South Road, floor 15', '8301', 'Keyuan (line 2, exit D)', 'floor 2, west'],
  ['Hangzhou', '969 West Wenyi Road, building 5', '8401', 'Wuchang (line 5, exit B)', 'building 1, floor 1'],
  ['Singapore', '71 Robinson Road, level 14', '8501', 'Tanjong Pagar (exit G)', 'level 2'],
  ['Berlin', 'Torstraße 140, 3rd floor', '8601', 'Rosenthaler Platz (U8)', 'ground floor'],
];

const guide = offices.map(
  ([city, address, desk, metro, canteen], index) => `## ${index + 1}. ${city}

Address: ${address}. The nearest station is ${metro}, about ${5 + (index % 4) * 2} minutes on foot. A shuttle runs every ten minutes from 8:30 to 9:30; your badge is the ticket.

- **Reception**: weekdays 8:30–19:00, extension ${desk}. Forgot your badge? Register there, it is valid for the day.
- **Doors**: your badge or the badge in DingTalk. After 22:00 please announce late work in DingTalk first.
- **Wi-Fi**: \`Spruce-Office\` for staff, \`Spruce-Guest\` for visitors. The guest password changes daily; ask reception.
- **Meeting rooms**: book them in DingTalk. A room is released after 15 minutes. A blue mark means video equipment.
- **Canteen**: ${canteen}, lunch 11:30–13:00, dinner 17:45–19:00, with a daily allowance on your badge.
- **Parking**: second basement, monthly card, first come, first served.

Printers stand next to the pantry and their names start with \`${city}-\`. Install the driver from the IT service desk the first time. The first-aid kit is at reception; in an emergency call reception first.
`,
);

export const englishTexts: SampleTexts = {
  short: 'Yes, from **tomorrow** on.',
  long: `# Office guide\n\nAddresses, doors, network, meeting rooms and canteens of our offices. Please read it before you travel.\n\n${guide.join('\n')}\nThis guide is updated every quarter; notices at reception come first.`,
  table: `Hotels are reimbursed by city tier; anything above needs your manager's approval:

| City tier | Hotel (CNY/night) | Meals (CNY/day) | Transport (CNY/day) |
| --- | ---: | ---: | ---: |
| Tier 1 (Beijing, Shanghai, …) | 550 | 120 | 80 |
| New tier 1 (Hangzhou, Chengdu, …) | 450 | 100 | 60 |
| Other cities | 350 | 80 | 50 |

> Where a conference already includes the hotel, it cannot be claimed again.`,
  code: `This script exports attendance. Ask the **IT service desk** for a read-only token first:

\`\`\`python
import requests

def export_attendance(month: str, token: str) -> list[dict]:
    """month looks like 2026-07."""
    response = requests.get(
        "https://hr.example.com/api/attendance",
        params={"month": month, "size": 200},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    response.raise_for_status()
    return response.json()["items"]
\`\`\`

Keep \`token\` in an environment variable, not in the code.`,
  list: `On your first day, in this order:

1. Collect badge and laptop at reception
2. Verify your identity in DingTalk
3. Open the IT service desk and install:
   - the VPN client
   - the virus scanner
   - the printer driver
4. Join the induction at **14:00**

Please bring:

- your ID card
- a copy of your diploma
- a health report of the last three months`,
  thought:
    'The user asks whether leave can be carried over. Rule 4.2: until 31 March of the next year. Mention the form.',
  afterThought:
    'Yes. Leave you have not taken is carried over until **31 March** of the next year and expires after that. Please file the carry-over form by 25 December.',
  beforeError: 'Your claim **BX-2026-0711** is with accounting and should be',
  slow: 'Sorry for the wait. I went through twelve months of purchase records: your department has ordered **3** monitors, the last on 18 June. There are 14 in stock, so you can request one at the IT service desk and usually collect it the same day.',
  workflowOutputs: {
    summary: '128 tickets this week, 9% fewer than last week, solved in 2.4 hours on average.',
    solved_rate: 0.96,
    on_time: true,
    top_issues: [
      { title: 'VPN does not connect', count: 31 },
      { title: 'Printer offline', count: 18 },
    ],
  },
  workflowAsText:
    '**128** tickets this week, 9% fewer than last week, solved in 2.4 hours on average. Most were about the VPN (31) and offline printers (18).',
  agent: {
    first: 'Let me look up your leave balance.',
    firstTool: {
      tool: 'leave_balance',
      label: { en_US: 'Leave balance', zh_Hans: '假期余额' },
      input: { staff_id: 'staff-0001', year: 2026 },
      observation: '{"annual": 7.5, "used": 4, "carried_over": 1}',
    },
    second: 'Now the team calendar of next week.',
    secondTool: {
      tool: 'team_calendar',
      label: { en_US: 'Team calendar', zh_Hans: '团队日历' },
      input: { from: '2026-08-03', to: '2026-08-07' },
      observation: '{"conflicts": ["2026-08-05 quarterly review"]}',
    },
    last: 'You have **4.5 days** left, one of them carried over. Next week is free except for the quarterly review on 5 August. Shall I draft the request?',
  },
  chart: `Tickets in the first half of the year:

\`\`\`echarts
{"title":{"text":"Tickets by month"},"xAxis":{"type":"category","data":["Jan","Feb","Mar","Apr","May","Jun"]},"yAxis":{"type":"value"},"series":[{"type":"bar","data":[420,310,455,430,398,372]}]}
\`\`\`

February is low because of the Spring Festival; since March the number has been falling.`,
  beforeCut:
    'If the printer is offline, check three things: first, that you are on `Spruce-Office`; second, that no red light is on; third,',
  beforeModeration: 'You are asking about a colleague’s salary. According to the records,',
  moderated:
    'This is private to somebody else, so I cannot answer it. You can look up your own salary, or call HR at 8000.',
  steady:
    'Annual leave depends on your years of service: five days from the first year, ten from the tenth, fifteen from the twentieth. Please file it in DingTalk three working days ahead; your manager approves it, and for more than five days in a row the head of department does, too. What you do not take is carried over until the end of March. ',
  leave: `You file annual leave in DingTalk:

1. Open **Workbench → Leave** and choose annual leave
2. Enter the dates; the days you have left are shown
3. Send it to your manager, who usually answers within **one working day**

More than five days in a row also need your head of department. What is left is carried over until 31 March.`,
  expense: `How to claim expenses:

1. Create a claim and photograph the invoice; the amount is read for you
2. Choose the cost centre and say what it was for
3. Accounting checks it within **three working days** and pays every Thursday

Invoices up to **30 days** old can be claimed.`,
  vpn: `When the VPN does not connect, it is mostly one of these:

- **Password expired**: change it every 90 days at the IT service desk
- **Old client**: versions below 5.2 are switched off, please update
- **Clock**: more than five minutes off is refused, turn on automatic time

If none of this helps, send me the error code and I will open a ticket.`,
  sentFiles: (files) =>
    files.length === 0
      ? 'I do not see any file. Send me a picture or a document together with your question, and I will tell you what I see.'
      : `I have looked at what you sent, **${files.length}** in all:\n\n${files
          .map(({ name, type, size }) => `- \`${name}\` (${type}${size === null ? '' : `, ${size} bytes`})`)
          .join(
            '\n',
          )}\n\nThis looks like a receipt: please check that date and amount can be read before you claim it.`,
  makeFiles: {
    before: 'Here is your report: a chart, the numbers, and a printable page.\n\n',
    after: '\n\nThe links are good for five minutes.',
    pictureName: 'tickets.png',
    tableName: 'tickets.csv',
    documentName: 'tickets.pdf',
    rows: [
      ['Month', 'Tickets'],
      ['January', 420],
      ['February', 310],
      ['March', 455],
      ['April', 430],
      ['May', 398],
      ['June', 372],
    ],
    document: [
      'Tickets in the first half of the year',
      '',
      'January 420, February 310, March 455,',
      'April 430, May 398, June 372',
    ],
  },
  beforeSuggestions: 'New colleagues mostly ask about badges, laptops and leave. What would you like to know next?',
  suggestions: ['How do I file leave?', 'How do I claim expenses?', 'The VPN does not connect, what now?'],
  approval: {
    before: 'Your request costs CNY 2,400, which needs a decision.\n\n',
    check: 'Check the budget',
    title: 'Approval',
    form: 'Order **one 27-inch monitor** for CNY 2,400?\n\nComment: {{#$output.comment#}}',
    comment: 'within the budget',
    approve: 'Approve',
    reject: 'Reject',
    approved: (comment) =>
      `**Approved**. The order is placed and should arrive within three days. Comment: ${comment || 'none'}`,
    rejected: (comment) => `**Rejected**. Nothing was ordered. Comment: ${comment || 'none'}`,
    elsewhere: 'Only a chatflow or a workflow can ask for an approval. Please choose such an app and ask again.',
  },
  forms: {
    before: 'Everything is prepared; somebody has to confirm it.\n\n',
    claim: {
      title: 'Expense claim',
      form: 'Please complete this claim:\n\nKind: {{#$output.kind#}}\n\nNote: {{#$output.note#}}',
      options: ['travel', 'hotel', 'meals'],
      answered: (values) =>
        `Noted: ${typeof values['kind'] === 'string' ? values['kind'] : 'no kind'}, ${typeof values['note'] === 'string' && values['note'] !== '' ? values['note'] : 'without a note'}.`,
    },
    mail: { title: 'Contract seal', form: 'Legal, please check **the supply contract**.', to: 'legal@example.com' },
    pair: [
      {
        title: 'Finance',
        form: 'Finance: is a budget of **CNY 8,000** all right?',
        answered: (action) => `Finance: ${action === 'approve' ? 'approved' : 'rejected'}.\n`,
      },
      {
        title: 'Manager',
        form: 'Manager: may the work begin **next Monday**?',
        answered: (action) => `Manager: ${action === 'approve' ? 'approved' : 'rejected'}.\n`,
      },
    ],
  },
  takesLong: {
    node: 'Read the archive',
    before: 'This takes more than a minute; stop me whenever you like.\n\n',
    step: (number, of) => `${number}. Folder ${number} of ${of} is checked.\n`,
    after: '\nDone: nothing is missing.',
  },
  opening: {
    statement: 'Hello, I am the HR and IT assistant of Spruce Technology. What can I do for you?',
    questions: ['How do I file leave?', 'How do I claim expenses?', 'samples'],
  },
  transcript: 'How do I file leave?',
  helpIntroduction:
    'I am the HR and IT assistant of Spruce Technology. Just ask, or try one of these words to see a kind of answer:',
  help: {
    short: 'one sentence',
    long: 'several thousand characters',
    table: 'a table',
    code: 'a code block',
    list: 'nested lists',
    think: 'thinks first, then answers',
    error: 'fails half-way',
    slow: 'waits 8 seconds before it starts',
    workflow: 'outputs only, no streamed text',
    agent: 'two steps, two tools',
    chart: 'an ECharts chart',
    'model busy': 'the model is rate limited',
    queue: 'waits 20 seconds for a free worker',
    'lost connection': 'the connection breaks, the run goes on in Dify',
    cut: 'breaks off half-way',
    empty: 'an empty answer',
    moderation: 'replaced by content moderation',
    picture: 'describes the files you send',
    export: 'returns a picture, a CSV and a PDF',
    suggestions: 'suggests questions afterwards',
    approval: 'asks for a decision and goes on',
    claim: 'a form with a choice and a text',
    countersign: 'two forms, one after the other',
    seal: 'a form that only e-mail can answer',
    'long task': 'takes more than a minute, for stopping',
    bench: '600 characters, 300 events, 4.5 seconds',
  },
  fallback: (question, turn) =>
    `Got it, you are asking: “${question}”. This is turn ${turn} of our conversation${turn > 1 ? ', and I remember what was said before' : ''}. I am the HR and IT assistant of Spruce Technology: ask me about leave, expenses, the VPN or travel, or send “samples” to see what I can do.`,
};
