#!/bin/sh
# Registers the task, runs it once, waits, and ends with Pilotage's own exit code, so that the pipeline stops where it must.
# Wants: CLUSTER, SUBNETS and SECURITY_GROUPS (comma-separated), and the AWS command line.
set -eu
cd "$(dirname "$0")"
definition=$(aws ecs register-task-definition --cli-input-json file://task-definition.json \
  --query taskDefinition.taskDefinitionArn --output text)
task=$(aws ecs run-task --cluster "$CLUSTER" --launch-type FARGATE --task-definition "$definition" \
  --network-configuration "awsvpcConfiguration={subnets=[$SUBNETS],securityGroups=[$SECURITY_GROUPS],assignPublicIp=DISABLED}" \
  --query 'tasks[0].taskArn' --output text)
until aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task"; do :; done # each wait gives up after ten minutes
code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
case $code in *[!0-9]* | '') code=5 ;; esac # the container never ran: nothing happened, and it may be tried again
echo "pilotage ended with exit code $code"
exit "$code"
