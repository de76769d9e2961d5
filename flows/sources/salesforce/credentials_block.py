"""The form that Prefect's UI shows for the credentials of a Salesforce connection."""

from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class SalesforceCredentials(Block):
    """What signs in to one Salesforce organisation."""

    _block_type_name = "Salesforce credentials"
    _block_type_slug = "salesforce-credentials"
    _description = "Signs Concord in to Salesforce: client credentials, or a user with a key (JWT)."

    instance_url: str = Field(
        default="",
        title="My Domain",
        description="Such as https://example.my.salesforce.com; needed for client credentials.",
    )
    client_id: SecretStr = Field(description="Consumer key of the External Client App.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="Consumer secret, for client credentials."
    )
    username: str = Field(default="", description="Integration user, for JWT bearer.")
    private_key: SecretStr = Field(
        default=SecretStr(""), title="Private key", description="PEM, for JWT bearer."
    )

    def options(self) -> dict[str, str]:
        """Return what is filled in, as connections.yaml would name it."""
        held = {
            "instance_url": self.instance_url,
            "client_id": self.client_id.get_secret_value(),
            "client_secret": self.client_secret.get_secret_value(),
            "username": self.username,
            "private_key": self.private_key.get_secret_value(),
        }
        return {name: value for name, value in held.items() if value}
