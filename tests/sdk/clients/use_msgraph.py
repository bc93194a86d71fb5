# Runs after the documentation's code for msgraph-sdk: sends requests, and prints what it got as JSON.
import asyncio
import json
import sys

from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter


def plain(model):
    writer = JsonSerializationWriter()
    model.serialize(writer)
    return json.loads(writer.get_serialized_content())


async def refusal(user):
    """What the client says of a request that the rules do not open."""
    try:
        return await client.users.by_user_id(user).calendar.get()
    except Exception as error:
        return str(error)


async def ask(user):
    messages = await all_messages(user)
    users, link = await changed_users()
    changed, next_link = await changed_users(link)
    folder = client.users.by_user_id(user).mail_folders.by_mail_folder_id
    content = batch_of({
        "user": client.users.by_user_id(user).to_get_request_information(),
        "messages": client.users.by_user_id(user).messages.to_get_request_information(),
        "refused": client.users.by_user_id(user).calendar.to_get_request_information(),
        "inbox": folder("inbox").to_get_request_information(),
        "settings": client.users.by_user_id(user).mailbox_settings.to_get_request_information(),
    })
    statuses = (await client.batch.post(content)).get_response_status_codes()
    responses = await responses_to(content)
    return {
        "messages": [plain(message) for message in messages],
        "users": [plain(one) for one in users],
        "changed": [plain(one) for one in changed],
        "refusal": await refusal(user),
        "links": [link, next_link],
        "batch": {one: [statuses[one], response["body"]] for one, response in responses.items()},
    }


print(json.dumps(asyncio.run(ask(json.load(sys.stdin)["user"]))))
