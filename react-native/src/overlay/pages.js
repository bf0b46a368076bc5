// The part of the package that is loaded when it is shown first. A file of this extension, since the build adds none to `import()`.
export { Form } from '../feedback/form';
export { InspectorPages } from '../inspector/pages';
export { Layer } from './layer';
