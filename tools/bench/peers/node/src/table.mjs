// The way to the table.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";

export const TABLE = process.env.TABLE_NAME;
export const client = new DynamoDBClient({});
