/**
 * The two questions of MinIO's administration API that brokers of credentials ask before they call AssumeRole: what a named policy
 * says, and which region this is. So a MinIO Operator, or an operator of ours, can stand in front of this server as it stands in
 * front of MinIO. Changes nothing, and answers nothing else.
 */
export { createMinioAdminFace, type MinioAdminFace, type MinioAdminOptions } from './face.ts'
