"""The form that Prefect's UI shows for the credentials of a Business Central connection."""

from prefect.blocks.core import Block
from pydantic import Field, SecretStr


class BusinessCentralCredentials(Block):
    """What signs in to one Business Central environment."""

    _block_type_name = "Business Central credentials"
    _block_type_slug = "business-central-credentials"
    _description = "Signs Concord in to Business Central by an app registration in Entra."

    tenant: str = Field(description="Id or domain of the Entra tenant.")
    environment: str = Field(default="production", description="Name of the environment.")
    client_id: str = Field(
        title="Application id",
        description="The app registration, which Business Central must know as an Entra app.",
    )
    client_secret: SecretStr = Field(description="A client secret of the app registration.")

    def options(self) -> dict[str, str]:
        """Return what is filled in, as connections.yaml would name it."""
        held = {
            "tenant": self.tenant,
            "environment": self.environment,
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }
        return {name: value for name, value in held.items() if value}
