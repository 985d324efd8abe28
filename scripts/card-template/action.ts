import { fixed, noCondition, noParams, text, variable, type Props } from './values.ts';

/** The same value for each of these names. */
const each = (names: string, value: unknown): Props =>
  Object.fromEntries(names.split(' ').map((name) => [name, value]));

/**
 * What a component does when it is pressed. The builder writes every setting of every kind of action, with empty values
 * for all but the chosen one; whether its import would fill in what is missing is not known.
 */
export const noAction: Props = {
  ...each(
    'statPoint successToast failureToast copyValue confirmTitle confirmMessage confirmOkText ' +
      'confirmOkReqActionActionId confirmOkReqActionToast confirmCancelText confirmCancelReqActionActionId ' +
      'confirmCancelReqActionToast actionSheetTitle actionSheetMessage toastContent toastActionText ' +
      'stringLocalValue keyOfDynamicObject openModalTitle apiName jsapiName callAPIName videoUrl commentContent ' +
      'groupName groupTemplateID actionId',
    text(),
  ),
  ...each('url androidUrl pcUrl iosUrl toastActionUrl', fixed('Link', '')),
  ...each(
    'copyVariable localVarAction selectDataKey selectIndex updateTargetValue updateTargetVariable apiRetLocalVar ' +
      'jsapiRetLocalVar callAPIVariableParams dynamicEventVar commentData groupCreateResult',
    variable(''),
  ),
  ...each(
    'params confirmOkReqActionParams confirmCancelReqActionParams jsapiParams callAPIParams commentExtraParams',
    noParams,
  ),
  ...each('statPointParams actionSheetItems events selectParams dataSources', []),
  ...each('disabledWhileForward isDtmd enableCustomLocalData fixWidth autoWidth isCallAPIParamsVariable', false),
  ...each('customHandler customDurboHandler', ''),
  apiParams: noParams.map((param) => ({ ...param, type: 'variable' })),
  booleanLocalValue: fixed('Boolean', false),
  numberLocalValue: fixed('Number', 0),
  selectOptions: fixed('SelectOptions', []),
  fold: fixed('Boolean', false),
  successCondition: noCondition,
  actionType: 'url',
  urlType: 'all',
  copyType: 'common',
  confirmOkAction: 'request',
  confirmCancelAction: 'none',
  toastType: 1,
  customLocalData: '{}',
  openModalHeight: 500,
  openModalWidth: 400,
  selectActionType: 'setLocalState',
  fixedWidth: 0,
  callAPIType: 'jsapi',
  commentMode: 'predefine',
};
