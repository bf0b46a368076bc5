/** The kinds of which the inspector makes one each. */
export const SAMPLE_KINDS = [
  'error',
  'message',
  'feedback',
  'screen_load',
  'api_call',
  'image_load',
  'span',
  'analytics',
  'screen_view',
  'interaction',
  'revenue',
  'user_prop',
];
